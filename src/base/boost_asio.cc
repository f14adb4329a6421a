// Asio's, Asio SSL's and Beast's non-template code, compiled once for the whole program (see cmake/Parley.cmake).
#include <boost/asio/impl/src.hpp>
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
