#include "core/net/device.h"

#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/net/netlink.h"
#include "support/forked.h"
#include "support/workspace.h"

using namespace nsbox;
using namespace nsbox::test;
using net::Netlink;
using net::Request;

namespace {

constexpr uint16_t kMake = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;

Status make_link(const Netlink& netlink, std::string_view kind, std::string_view name) {
  Request request(RTM_NEWLINK, kMake);
  request.header(ifinfomsg{}).attribute(IFLA_IFNAME, name);
  const size_t info = request.begin_nested(IFLA_LINKINFO);
  request.attribute(IFLA_INFO_KIND, kind);
  request.end_nested(info);
  return netlink.ask(request);
}

Status add_address(const Netlink& netlink, const char* device, std::string_view bytes, uint8_t prefix,
                   uint32_t flags) {
  Request request(RTM_NEWADDR, kMake);
  ifaddrmsg header = {};
  header.ifa_family = bytes.size() == 4 ? AF_INET : AF_INET6;
  header.ifa_prefixlen = prefix;
  header.ifa_index = if_nametoindex(device);
  request.header(header)
      .attribute(IFA_LOCAL, bytes.data(), bytes.size())
      .attribute(IFA_ADDRESS, bytes.data(), bytes.size())
      .attribute(IFA_FLAGS, flags);
  return netlink.ask(request);
}

struct Found {
  std::string bytes;
  int prefix;
  bool no_prefix_route;
};

// The global addresses of a device of this network namespace.
std::vector<Found> global_addresses(const char* device) {
  std::vector<Found> out;
  auto netlink = Netlink::open();
  Request request(RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP);
  request.header(ifaddrmsg{});
  auto done = netlink->ask(request, [&](const net::Answer& answer) {
    ifaddrmsg header;
    if (!answer.read_header(header) || header.ifa_index != if_nametoindex(device) || header.ifa_scope != 0)
      return;
    Found found{{}, header.ifa_prefixlen, false};
    for (const net::Attribute& one : answer.attributes(sizeof header)) {
      if (one.type == IFA_ADDRESS) found.bytes.assign(one.data.begin(), one.data.end());
      if (one.type == IFA_FLAGS) found.no_prefix_route = one.number() & IFA_F_NOPREFIXROUTE;
    }
    out.push_back(found);
  });
  EXPECT_EQ(told(done), "ok");
  return out;
}

bool is_up(const char* device) {
  const UniqueFd probe(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  struct ifreq request = {};
  strncpy(request.ifr_name, device, IFNAMSIZ - 1);
  return ioctl(probe.get(), SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP);
}

UniqueFd this_network() { return UniqueFd(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)); }

// The body runs in one network namespace and gets another.
void in_two_networks(const std::function<void(const Netlink& here, int there)>& body) {
  if (!is_privileged()) return skip("needs root");
  in_fork([&] {
    if (unshare(CLONE_NEWNET) != 0) return fail(__FILE__, __LINE__, "unshare");
    const UniqueFd there = this_network();
    if (unshare(CLONE_NEWNET) != 0) return fail(__FILE__, __LINE__, "unshare");
    auto here = Netlink::open();
    EXPECT(here);
    if (here) body(*here, there.get());
  });
}

void look_inside(int network) { EXPECT_EQ(setns(network, CLONE_NEWNET), 0); }

// Kernels without the module for it have no dummy devices; one end of a pair does as well.
Status make_device(const Netlink& netlink, const char* name) {
  if (make_link(netlink, "dummy", name)) return Ok{};
  return make_link(netlink, "veth", name);
}

}  // namespace

TEST("net: knows the names that the kernel takes") {
  for (const char* fine : {"eth0", "a", "br-0123456789ab", "x.1", "eth%d", "123456789012345"})
    EXPECT(is_net_device_name(fine));
  for (const char* bad : {"", ".", "..", "a/b", "a:1", "a b", "a\t", "a\n", "1234567890123456"})
    EXPECT(!is_net_device_name(bad));
  EXPECT(!is_net_device_name(std::string_view("a\0b", 3)));
}

TEST("net: a device moves, with another name, its addresses, and up") {
  in_two_networks([](const Netlink& here, int there) {
    if (auto made = make_device(here, "d0"); !made) return skip("no dummy or veth devices here");
    EXPECT_EQ(told(add_address(here, "d0", {"\x0a\x01\x02\x03", 4}, 24, 0)), "ok");
    EXPECT_EQ(told(add_address(here, "d0", {"\x0a\x01\x02\x04", 4}, 32, IFA_F_NOPREFIXROUTE)), "ok");
    const std::string six("\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x05", 16);
    const bool has_six = static_cast<bool>(add_address(here, "d0", six, 64, IFA_F_NODAD));
    EXPECT_EQ(told(move_net_device("d0", "eth0", there)), "ok");
    EXPECT_EQ(if_nametoindex("d0"), 0U);
    look_inside(there);
    EXPECT(if_nametoindex("eth0") != 0 && is_up("eth0"));
    const auto found = global_addresses("eth0");
    EXPECT_EQ(found.size(), has_six ? 3U : 2U);
    if (found.size() < 2) return;
    EXPECT(found[0].bytes == std::string("\x0a\x01\x02\x03", 4) && found[0].prefix == 24);
    EXPECT(found[1].prefix == 32 && found[1].no_prefix_route && !found[0].no_prefix_route);
    if (has_six && found.size() == 3) EXPECT(found[2].bytes == six && found[2].prefix == 64);
  });
}

TEST("net: a name that is taken inside moves nothing") {
  in_two_networks([](const Netlink& here, int there) {
    if (auto made = make_device(here, "d0"); !made) return skip("no dummy or veth devices here");
    EXPECT(told(move_net_device("d0", "lo", there)).find(" as lo: EEXIST") != std::string::npos);
    EXPECT(if_nametoindex("d0") != 0);
    EXPECT(told(move_net_device("nope", "", there))
               .starts_with("move the network device nope into the container as nope: ENODEV"));
  });
}

TEST("net: the kernel chooses the number of a template, and keeps the name that is given") {
  in_two_networks([](const Netlink& here, int there) {
    for (const char* name : {"d0", "d1", "d2"})
      if (auto made = make_device(here, name); !made) return skip("no dummy or veth devices here");
    EXPECT_EQ(told(move_net_device("d0", "eth%d", there)), "ok");
    EXPECT_EQ(told(move_net_device("d1", "eth%d", there)), "ok");
    EXPECT_EQ(told(move_net_device("d2", "", there)), "ok");
    look_inside(there);
    for (const char* name : {"eth0", "eth1", "d2"}) EXPECT(is_up(name));
  });
}

TEST("net: a device whose old name and number are taken inside moves as well") {
  in_two_networks([](const Netlink& here, int there) {
    if (auto made = make_device(here, "d0"); !made) return skip("no dummy or veth devices here");
    MUST(inside, Netlink::open_in(there));
    EXPECT_EQ(told(make_device(inside, "d0")), "ok");
    EXPECT_EQ(told(move_net_device("d0", "eth0", there)), "ok");
    look_inside(there);
    EXPECT(if_nametoindex("d0") != 0 && if_nametoindex("eth0") != 0);
  });
}
