// Bodies made of an open object: one range of it, or several with their headers between (multipart/byteranges, RFC 9110
// section 14.6). They keep the reader as long as they live. Owned by one response, on its loop.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "media/blob_store.h"

namespace parley::media {

// The kernel may send it: it is a run of the object's file where that is one.
std::unique_ptr<http::Body> range_body(std::unique_ptr<BlobReader> reader, ByteRange range);

// How several ranges are told from one another.
struct ByteRangesForm {
  std::string boundary;      // never part of the bytes
  std::string content_type;  // of each part
  std::uint64_t whole_size = 0;

  std::string field() const { return "multipart/byteranges; boundary=" + boundary; }  // the answer's Content-Type
};

// Of 2 to http::kMaxRanges ranges, none empty. Its size() is exact.
std::unique_ptr<http::Body> ranges_body(std::unique_ptr<BlobReader> reader, std::vector<ByteRange> ranges,
                                        ByteRangesForm form);

}  // namespace parley::media
