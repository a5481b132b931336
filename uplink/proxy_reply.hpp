// ProxyReply: a proxy's answer to CONNECT, seen before libwebsockets reads it. That takes every answer but
// 200 for the same trouble, and the first piece of an answer for the whole. Knows nothing of hubs.
#pragma once

#include <string_view>

struct lws;

namespace edgecam::uplink {

/// Of the first line; 0 when it is no answer of HTTP/1.
int proxyStatusOf(std::string_view head);

/// Thread-bound (the loop's).
class ProxyReply {
  public:
    /// `socket` is on its way to the proxy, and must outlive this. It is not told of what comes before the
    /// whole head is there, unless the proxy closes behind it.
    explicit ProxyReply(lws* socket) : socket_(socket) { look(); }

    /// Looks whether the head has come; to be asked now and then.
    void look();
    [[nodiscard]] const lws* socket() const { return socket_; }
    /// 0: no answer yet, or none that was understood or seen in time.
    [[nodiscard]] int status() const { return status_; }

  private:
    void tellFrom(int bytes) const;

    lws* socket_;
    bool held_ = true;
    int status_ = 0;
};

}  // namespace edgecam::uplink
