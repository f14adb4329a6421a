// TLS contexts: TLS 1.2 and 1.3 only, OpenSSL's own choice of ciphers.
#pragma once
#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/task.h"

namespace parley::http {

// From PEM files: certificate chain, leaf first, and its private key. kInvalid names the file that could not be used.
Result<std::shared_ptr<asio::ssl::context>> make_server_tls(const std::string& certificate_file,
                                                            const std::string& key_file);
// Verifies against the system's certificate authorities, or those in `ca_file` alone when it is not empty.
Result<std::shared_ptr<asio::ssl::context>> make_client_tls(const std::string& ca_file = {});

}  // namespace parley::http
