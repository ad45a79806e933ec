#include "core/layer/layer_name.h"

#include "core/base/text.h"

namespace nsbox {
namespace {

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";

bool is_of_aufs(std::string_view component) {
  return component == ".wh..wh.aufs" || component == ".wh..wh.orph" || component == ".wh..wh.plnk";
}

Status append_directory(LayerName& out) {
  if (out.name.empty()) return Ok{};
  if (out.name.view().starts_with(kWhiteout)) return Error::invalid("a whiteout is no directory");
  append(out.directory, out.directory.empty() ? "" : "/", out.name);
  return Ok{};
}

Status read_whiteout(LayerName& out) {
  const std::string_view hidden = out.name.view().substr(kWhiteout.size());
  if (hidden.empty()) return Error::invalid("a whiteout of nothing");
  if (hidden == "." || hidden == "..") return Error::invalid("a whiteout of a directory itself");
  if (hidden.starts_with(kWhiteout)) return Error::invalid("a whiteout of a whiteout");
  out.kind = NameKind::kWhiteout;
  out.name = String(hidden);
  return Ok{};
}

}  // namespace

Result<LayerName> parse_layer_name(std::string_view name) {
  if (name.find('\0') != std::string_view::npos) return Error::invalid("a NUL in the name");
  if (name.starts_with('/')) return Error::invalid("an absolute name");
  LayerName out;
  while (!name.empty()) {
    const std::string_view component = cut(name, '/');
    if (component.empty() || component == ".") continue;
    if (component == "..") return Error::invalid("\"..\" in the name");
    if (out.name.empty() && is_of_aufs(component)) {
      out.kind = NameKind::kIgnored;
      return out;
    }
    TRY(append_directory(out));
    out.name = String(component);
    out.kind = NameKind::kEntry;
  }
  if (out.name.view() == kOpaque)
    out.kind = NameKind::kOpaque;
  else if (out.name.view().starts_with(kWhiteout))
    TRY(read_whiteout(out));
  return out;
}

}  // namespace nsbox
