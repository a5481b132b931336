#include "agent/page_url.hpp"

#include <glib.h>

#include "base/log.hpp"

namespace edgecam::agent {

std::string pageUrl(const ServerConfig& server, int port, const std::string& token) {
    const std::string& address = server.address;
    const bool all = address == "*" || address == "0.0.0.0" || address == "::";
    const std::string host = all                                      ? g_get_host_name()
                             : address.find(':') != std::string::npos ? "[" + address + "]"
                                                                      : address;
    const std::string url = concat(server.secure() ? "https://" : "http://", host, ":", port, "/");
    if (token.empty()) return url;
    g_autofree char* escaped = g_uri_escape_string(token.c_str(), nullptr, FALSE);
    return concat(url, "#token=", escaped);
}

}  // namespace edgecam::agent
