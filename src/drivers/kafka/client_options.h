// How a cluster is reached: what producers, consumers and questions to a Kafka cluster have in common. Plain values;
// the password is never logged or part of an error.
#pragma once
#include <string>

#include "config/secret.h"

namespace parley::kafka {

struct ClientOptions {
  std::string brokers;                 // host:port, comma-separated; any of the cluster's
  std::string security = "plaintext";  // plaintext, ssl, sasl_plaintext, sasl_ssl
  std::string sasl_mechanism;          // with sasl_…: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512
  std::string username;
  Secret password;
  std::string ca_file;    // empty: the system's
  std::string cert_file;  // with ssl and sasl_ssl, and key_file: who we are, for brokers that ask for certificates
  std::string key_file;
  std::string client_id = "parley";
};

}  // namespace parley::kafka
