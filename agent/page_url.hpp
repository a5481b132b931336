// PageUrl: the page's address for a person. Pure.
#pragma once

#include <string>

#include "agent/config.hpp"

namespace edgecam::agent {

/// With `token` in its fragment, which no browser sends; empty: without. `port`: the real one.
std::string pageUrl(const ServerConfig& server, int port, const std::string& token);

}  // namespace edgecam::agent
