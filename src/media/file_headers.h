// The header fields under which the bytes of a file go out: what it is, which state of it, how a browser is to treat
// it. Pure, any thread.
#pragma once
#include <string>
#include <string_view>

#include "http/content_disposition.h"
#include "http/message.h"
#include "media/types.h"

namespace parley::media {

// Strong: the digest of the bytes, which never change.
std::string entity_tag(const File& file);
// Of a thumbnail; weak, for it may be made anew in another way.
std::string entity_tag(const File& file, ThumbnailSize size);

// Content-Type: the file's own, but that of scripts and style sheets, which no page is to load; text in UTF-8, which is
// what text is unless it says otherwise.
std::string served_type(const File& file);

struct Shown {
  http::Disposition disposition = http::Disposition::kAttachment;  // inline only where that is safe
  bool elsewhere = false;  // pages of other sites may embed it: the address alone opens it
};

// The value of Content-Disposition.
std::string disposition_of(const File& file, Shown shown);
// Of an answer that carries the bytes or would (HEAD), but for Content-Type and what a range adds.
void add_file_headers(http::HeaderText& headers, const File& file, std::string_view etag, Shown shown);
// Of a 304, and the part of it that says how long an answer may be kept: it must be asked for again each time, since a
// file that was deleted, or is not the caller's to read any more, must be gone.
void add_cache_headers(http::HeaderText& headers, std::string_view etag);
// What keeps a browser from running a file in our name, whatever it holds.
void add_safety_headers(http::HeaderText& headers, bool elsewhere);

}  // namespace parley::media
