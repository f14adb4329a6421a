// The object that carries the precompiled header; see cmake/Parley.cmake.
