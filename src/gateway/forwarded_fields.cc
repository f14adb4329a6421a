#include "gateway/forwarded_fields.h"

#include "base/text.h"

namespace parley::gateway {

namespace {

using http::Field;
using http::FieldId;

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && equals_ignoring_ascii_case(text.substr(0, prefix.size()), prefix);
}

// Calls `see` with each element of a comma-separated list.
template <class See>
void for_each_element(std::string_view list, See see) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view element = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    while (element.starts_with(' ') || element.starts_with('\t')) element.remove_prefix(1);
    while (element.ends_with(' ') || element.ends_with('\t')) element.remove_suffix(1);
    if (!element.empty()) see(element);
  }
}

// Fields of one connection, or about it. Host and Content-Length are the next connection's to write; Proxy-* and Expect
// were meant for us.
bool belongs_to_connection(const Field& field) {
  switch (field.id) {
    case FieldId::connection:
    case FieldId::keep_alive:
    case FieldId::te:
    case FieldId::trailer:
    case FieldId::transfer_encoding:
    case FieldId::upgrade:
    case FieldId::expect:
    case FieldId::host:
    case FieldId::content_length:
      return true;
    default:
      return starts_with_ignoring_case(field.name, "proxy-");
  }
}

enum class About { kOther, kForwardedFor, kProto, kHost, kElsewhere, kReplaced };

// What a client's field says of the way it came; kReplaced: the gateway writes its own, kElsewhere: never believed.
About about(const Field& field) {
  if (field.id == FieldId::forwarded) return About::kElsewhere;
  const std::string_view name = field.name;
  if (name.empty()) return About::kOther;
  const char first = static_cast<char>(name[0] | 0x20);
  if (first == 't') return equals_ignoring_ascii_case(name, "traceparent") ? About::kReplaced : About::kOther;
  if (first != 'x') return About::kOther;
  if (equals_ignoring_ascii_case(name, "X-Request-Id")) return About::kReplaced;
  if (equals_ignoring_ascii_case(name, "X-Real-IP")) return About::kElsewhere;
  if (!starts_with_ignoring_case(name, "X-Forwarded-")) return About::kOther;
  const std::string_view rest = name.substr(12);
  if (equals_ignoring_ascii_case(rest, "For")) return About::kForwardedFor;
  if (equals_ignoring_ascii_case(rest, "Proto")) return About::kProto;
  if (equals_ignoring_ascii_case(rest, "Host")) return About::kHost;
  return About::kElsewhere;
}

// The names that Connection fields list, unless they only say close or keep-alive.
boost::container::static_vector<std::string_view, 16> named_by_connection(const http::Fields& fields, bool& overflow) {
  boost::container::static_vector<std::string_view, 16> names;
  for (const Field& field : fields) {
    if (field.id != FieldId::connection) continue;
    for_each_element(field.value, [&](std::string_view element) {
      if (equals_ignoring_ascii_case(element, "close") || equals_ignoring_ascii_case(element, "keep-alive")) return;
      if (names.size() == names.capacity()) {
        overflow = true;
      } else {
        names.push_back(element);
      }
    });
  }
  return names;
}

}  // namespace

bool forward_fields(const http::Fields& client, const ForwardedFacts& facts, http::Fields& out) {
  bool full = false;
  const auto add = [&](FieldId id, std::string_view name, std::string_view value) {
    full |= !out.add(id, name, value);
  };
  const auto dropped_by_connection = named_by_connection(client, full);
  std::string_view host, proto = facts.scheme, forwarded_host;

  for (const Field& field : client) {
    if (field.id == FieldId::host) host = field.value;
    if (belongs_to_connection(field)) continue;
    bool dropped = false;
    for (const std::string_view name : dropped_by_connection) dropped |= equals_ignoring_ascii_case(name, field.name);
    if (dropped) continue;
    switch (about(field)) {
      case About::kOther:
        add(field.id, field.name, field.value);
        break;
      case About::kProto:
        if (facts.client_is_trusted) proto = field.value;
        break;
      case About::kHost:
        if (facts.client_is_trusted) forwarded_host = field.value;
        break;
      case About::kForwardedFor:
      case About::kElsewhere:
      case About::kReplaced:
        break;
    }
  }
  if (forwarded_host.empty()) forwarded_host = host;

  add(FieldId::unknown, "X-Forwarded-For", facts.forwarded_for);
  add(FieldId::unknown, "X-Forwarded-Proto", proto);
  if (!forwarded_host.empty()) add(FieldId::unknown, "X-Forwarded-Host", forwarded_host);
  add(FieldId::via, "Via", "1.1 parley");  // RFC 9110 section 7.6.3
  add(FieldId::unknown, "X-Request-Id", facts.request_id);
  if (!facts.traceparent.empty()) add(FieldId::unknown, "traceparent", facts.traceparent);
  return !full;
}

}  // namespace parley::gateway
