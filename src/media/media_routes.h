// The routes of the media role: one table, operation by operation of api/media.yaml, which gives method and path. Built
// once; the Media and the contract must outlive the routes.
#pragma once
#include <vector>

#include "http/openapi/contract.h"
#include "http/router.h"
#include "media/handlers.h"

namespace parley::media {

std::vector<http::Route> media_routes(const http::openapi::Contract& contract, Media& media);

}  // namespace parley::media
