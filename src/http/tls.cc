#include "http/tls.h"

#include <openssl/ssl.h>

namespace parley::http {

namespace {
std::shared_ptr<asio::ssl::context> make_context(asio::ssl::context::method method) {
  auto context = std::make_shared<asio::ssl::context>(method);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  // Peers that close without close_notify are common; message framing tells a cut from an end.
  SSL_CTX_set_options(context->native_handle(), SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
  return context;
}
}  // namespace

Result<std::shared_ptr<asio::ssl::context>> make_server_tls(const std::string& certificate_file,
                                                            const std::string& key_file) {
  auto context = make_context(asio::ssl::context::tls_server);
  boost::system::error_code error;
  context->use_certificate_chain_file(certificate_file, error);
  if (error) return invalid_field("TLS_CERT_FILE", "cannot be used as a PEM certificate chain");
  context->use_private_key_file(key_file, asio::ssl::context::pem, error);
  if (error) return invalid_field("TLS_KEY_FILE", "cannot be used as a PEM private key");
  if (SSL_CTX_check_private_key(context->native_handle()) != 1) {
    return invalid_field("TLS_KEY_FILE", "does not belong to the certificate");
  }
  return context;
}

Result<std::shared_ptr<asio::ssl::context>> make_client_tls(const std::string& ca_file) {
  auto context = make_context(asio::ssl::context::tls_client);
  boost::system::error_code error;
  if (ca_file.empty()) {
    context->set_default_verify_paths(error);
  } else {
    context->load_verify_file(ca_file, error);
  }
  if (error) return invalid_field("ca_file", "cannot be used as PEM certificate authorities");
  return context;
}

}  // namespace parley::http
