// Who a request comes from when proxies stand in front of us. X-Forwarded-For is believed from its end, as far as
// trusted proxies wrote it: what stands before that may be anybody's invention. Pure; any thread.
#pragma once
#include <string>
#include <string_view>

#include "base/ip_networks.h"
#include "http/message.h"

namespace parley::http {

// The peer; if that is a trusted proxy, the address nearest to us that is not one. A view into the request.
std::string_view client_address(const Request& request, const IpNetworks& trusted);

// The X-Forwarded-For of the request that a proxy passes on: all that it says, in order, and then the peer.
std::string forwarded_chain(const Request& request);

}  // namespace parley::http
