#include "app/own_address.h"

namespace parley::app {

std::string url_on_this_host(const Settings& settings, std::uint16_t port) {
  const bool tls = !settings.http.tls_cert_file.empty();
  std::string host = settings.serve.bind_address;
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  return std::string(tls ? "https://" : "http://") + host + ":" + std::to_string(port);
}

}  // namespace parley::app
