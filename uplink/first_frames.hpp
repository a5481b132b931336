// FirstFrames: sees the head of each client's first frame before libwebsockets reads it. A client that does
// not mask has to be closed (RFC 6455 section 5.1), and libwebsockets unmasks what is masked without saying
// whether it was. Later frames it reads as they come, and nobody sees their heads. Knows no viewer.
#pragma once

#include <functional>
#include <map>
#include <set>

struct lws;

namespace edgecam::uplink {

/// Thread-bound (the loop's). It adopts a second descriptor of the socket as a raw file, so that
/// libwebsockets' poll tells when something has come while it does not read the socket itself.
class FirstFrames {
  public:
    /// `unmasked` is told of a client whose first frame has no mask; nothing more of it is read. It is called
    /// from a callback of another socket. `soon` leads to a readDecrypted() outside any callback.
    FirstFrames(std::function<void(lws* client)> unmasked, std::function<void()> soon);

    /// In the client's LWS_CALLBACK_ESTABLISHED: nothing of it is read until its first frame's head is there.
    /// Where no descriptor is left, it is let pass.
    void await(lws* client);

    /// Whether `socket` is one that we adopted.
    [[nodiscard]] bool isOurs(lws* socket) const { return clients_.contains(socket); }
    /// LWS_CALLBACK_RAW_RX_FILE of one of ours: whether it is still needed.
    bool look(lws* ours);
    /// LWS_CALLBACK_WSI_DESTROY, or the end of a client's WebSocket before that; of whatever socket.
    void ended(lws* socket);
    /// Makes libwebsockets read what OpenSSL has decrypted when we looked: no poll tells of that.
    void readDecrypted();

  private:
    enum class Head { awaited, masked, unmasked, none };
    static Head headOf(lws* client);
    void read(lws* client);

    const std::function<void(lws*)> unmasked_;
    const std::function<void()> soon_;
    std::map<lws*, lws*> clients_;  ///< by the socket that waits for them; null: it is done with
    std::set<lws*> decrypted_;
};

}  // namespace edgecam::uplink
