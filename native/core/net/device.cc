#include "core/net/device.h"

#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include <cerrno>

#include "core/net/netlink.h"
#include "core/sys/syscalls.h"

namespace nsbox {

namespace {

using net::Answer;
using net::Attribute;
using net::Netlink;
using net::Request;

constexpr uint16_t kDo = NLM_F_REQUEST | NLM_F_ACK;
constexpr size_t kNameSize = 16;  // IFNAMSIZ
// What the user of an address chose; the other flags are the kernel's findings.
constexpr uint32_t kChosenFlags =
    IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN;

// One address of a device, with its attributes as the kernel wrote them.
struct Address {
  ifaddrmsg header;
  uint32_t flags = 0;
  Vector<std::pair<uint16_t, String>> attributes;
};

bool is_template(std::string_view name) { return name.find('%') != std::string_view::npos; }

Result<int> index_of(const Netlink& netlink, std::string_view name) {
  Request request(RTM_GETLINK, kDo);
  request.header(ifinfomsg{}).attribute(IFLA_IFNAME, name);
  int index = 0;
  TRY(netlink.ask(request, [&](const Answer& answer) {
    ifinfomsg link;
    if (answer.type() == RTM_NEWLINK && answer.read_header(link)) index = link.ifi_index;
  }));
  if (index == 0) return Error(ENODEV);
  return index;
}

std::optional<Address> read_address(const Answer& answer, int index) {
  Address out;
  if (answer.type() != RTM_NEWADDR || !answer.read_header(out.header)) return std::nullopt;
  if (static_cast<int>(out.header.ifa_index) != index) return std::nullopt;
  out.flags = out.header.ifa_flags;
  for (const Attribute& one : answer.attributes(sizeof out.header)) {
    if (one.type == IFA_FLAGS) out.flags = one.number();
    if (one.type == IFA_LOCAL || one.type == IFA_ADDRESS || one.type == IFA_BROADCAST ||
        one.type == IFA_RT_PRIORITY)
      out.attributes.push_back({one.type, String({one.data.data(), one.data.size()})});
  }
  const bool is_kept = (out.flags & IFA_F_PERMANENT) && out.header.ifa_scope == RT_SCOPE_UNIVERSE;
  return is_kept ? std::optional(std::move(out)) : std::nullopt;
}

// The permanent ones of global scope; the others the kernel makes itself.
Result<Vector<Address>> addresses_of(const Netlink& netlink, int index) {
  Request request(RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP);
  request.header(ifaddrmsg{});
  Vector<Address> out;
  TRY(netlink.ask(request, [&](const Answer& answer) {
    if (auto address = read_address(answer, index)) out.push_back(std::move(*address));
  }));
  return out;
}

Status add_address(const Netlink& netlink, int index, const Address& address) {
  Request request(RTM_NEWADDR, kDo | NLM_F_CREATE | NLM_F_EXCL);
  ifaddrmsg header = {};
  header.ifa_family = address.header.ifa_family;
  header.ifa_prefixlen = address.header.ifa_prefixlen;
  header.ifa_scope = address.header.ifa_scope;
  header.ifa_index = static_cast<unsigned>(index);
  request.header(header);
  for (const auto& [type, data] : address.attributes) request.attribute(type, data.c_str(), data.size());
  request.attribute(IFA_FLAGS, address.flags & kChosenFlags);
  if (auto done = netlink.ask(request); !done) return done.error().while_doing("give it its address back");
  return Ok{};
}

enum class Link : bool { kDown, kUp };

Status set_link(const Netlink& netlink, int index, Link link) {
  Request request(RTM_NEWLINK, kDo);
  ifinfomsg header = {};
  header.ifi_index = index;
  header.ifi_change = IFF_UP;
  header.ifi_flags = link == Link::kUp ? IFF_UP : 0;
  request.header(header);
  if (auto done = netlink.ask(request); !done)
    return done.error().while_doing(link == Link::kUp ? "bring it up" : "take it down");
  return Ok{};
}

Status rename_link(const Netlink& netlink, int index, std::string_view name) {
  Request request(RTM_NEWLINK, kDo);
  ifinfomsg header = {};
  header.ifi_index = index;
  request.header(header).attribute(IFLA_IFNAME, name);
  return netlink.ask(request);
}

Status send_link(const Netlink& netlink, int index, std::string_view name, int network_namespace) {
  Request request(RTM_NEWLINK, kDo);
  ifinfomsg header = {};
  header.ifi_index = index;
  request.header(header)
      .attribute(IFLA_NET_NS_FD, static_cast<uint32_t>(network_namespace))
      .attribute(IFLA_IFNAME, name);
  return netlink.ask(request);
}

// Its number may be another one there, so it arrives under a name that tells it from all others.
Result<String> arrival_name(std::string_view new_name) {
  if (!is_template(new_name)) return String(new_name);
  uint32_t random = 0;
  TRY(sys::getrandom(&random, sizeof random));
  return format("ns", random);
}

Status move(const Netlink& here, std::string_view host_name, std::string_view new_name,
            int network_namespace) {
  const Netlink there = TRY(Netlink::open_in(network_namespace));
  const int index = TRY(index_of(here, host_name));
  // The kernel would notice after the move only, and the device would be gone with the container.
  if (!is_template(new_name) && index_of(there, new_name)) return Error(EEXIST);
  const Vector<Address> addresses = TRY(addresses_of(here, index));
  const String arrival = TRY(arrival_name(new_name));
  TRY(set_link(here, index, Link::kDown));
  TRY(send_link(here, index, arrival, network_namespace));
  const int new_index = TRY(index_of(there, arrival));
  if (is_template(new_name)) TRY(rename_link(there, new_index, new_name));
  for (const Address& address : addresses) TRY(add_address(there, new_index, address));
  return set_link(there, new_index, Link::kUp);
}

}  // namespace

bool is_net_device_name(std::string_view name) {
  if (name.empty() || name.size() >= kNameSize || name == "." || name == "..") return false;
  for (const char c : name)
    if (c == '/' || c == ':' || c == ' ' || c == '\0' || (c >= '\t' && c <= '\r')) return false;
  return true;
}

Status move_net_device(std::string_view host_name, std::string_view new_name, int network_namespace) {
  if (new_name.empty()) new_name = host_name;
  auto here = Netlink::open();
  Status done = here ? move(*here, host_name, new_name, network_namespace) : Status(here.error());
  if (!done)
    return done.error().while_doing("move the network device ", host_name, " into the container as ",
                                    new_name);
  return Ok{};
}

}  // namespace nsbox
