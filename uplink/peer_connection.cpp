#include "uplink/peer_connection.hpp"

#include <libwebsockets.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "base/log.hpp"

namespace edgecam::uplink {
namespace {

static_assert(LWS_PRE == WireMessage::kHeadroom, "WireMessage leaves the room libwebsockets writes into");

// One peer's turn: others are served in between.
constexpr int kMessagesPerTurn = 32;
// A close that the peer does not answer is cut off after so many ticks; one that floods us, sooner.
constexpr int kPatientTicks = 20;
constexpr int kShortTicks = 3;
// Not a code that travels (RFC 6455 section 7.1.5): drop the connection without a close frame.
constexpr std::uint16_t kNoCloseFrame = 1006;

void setOption(lws* socket, int option, int value) {
    setsockopt(lws_get_socket_fd(socket), IPPROTO_TCP, option, &value, sizeof value);
}

// Written and not acknowledged, with their frames' heads: not less than of our messages.
std::size_t bytesOutstanding(lws* socket) {
    int outstanding = 0;
    return ioctl(lws_get_socket_fd(socket), SIOCOUTQ, &outstanding) == 0 && outstanding > 0
               ? static_cast<std::size_t>(outstanding)
               : 0;
}

// Bytes the peer ever sent on this connection, frames of every kind; 0 where the kernel does not tell.
std::uint64_t bytesReceived(lws* socket) {
    tcp_info info{};
    socklen_t size = sizeof info;
    if (getsockopt(lws_get_socket_fd(socket), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return 0;
    return info.tcpi_bytes_received;
}

}  // namespace

PeerConnection::PeerConnection(lws* socket, std::unique_ptr<PeerSession> session, PeerExchange& exchange,
                               const ConnectionLimits& limits, const Clock& clock)
    : socket_(socket),
      session_(std::move(session)),
      exchange_(exchange),
      limits_(limits),
      clock_(clock),
      inboundBytes_(limits.bytesPerSecond, limits.byteBurst, clock.monotonic()),
      inboundMessages_(limits.messagesPerSecond, limits.messageBurst, clock.monotonic()) {
    setOption(socket_, TCP_NODELAY, 1);
    setOption(socket_, TCP_NOTSENT_LOWAT, limits_.unsentBytes);
    if (session_) {
        exchange_.add(*session_);
        followSession();
    }
}

PeerConnection::~PeerConnection() {
    if (session_) exchange_.remove(session_->id());
}

void PeerConnection::received(std::string_view part) {
    if (closing_) return;
    lws_validity_confirmed(socket_);
    const bool last = lws_is_final_fragment(socket_) != 0;
    // libwebsockets gives a frame in pieces and says how much of it is still to come.
    const std::size_t announced = incoming_.size() + part.size() + lws_remaining_packet_payload(socket_);

    if (lws_frame_is_binary(socket_) != 0) {
        session_->receiveBinary();
    } else if (announced > limits_.maxMessageBytes) {
        skippingMessage_ = true;
        incoming_.clear();
        session_->receiveTooLarge();
    } else if (!skippingMessage_) {
        incoming_.append(part);
        if (last) session_->receiveText(incoming_);
    }
    if (last) {
        incoming_.clear();
        skippingMessage_ = false;
        if (!inboundMessages_.take(1, clock_.monotonic())) return close({4429, "too many messages"});
    }
    followSession();
}

void PeerConnection::followSession() {
    if (!session_) return;
    if (session_->hasOutput() || session_->closeWish()) askToWrite();
}

void PeerConnection::askToWrite() {
    if (!waitingSince_) waitingSince_ = clock_.monotonic();
    lws_callback_on_writable(socket_);
}

bool PeerConnection::write(const WireMessage& message) {
    const auto protocol = message.isBinary() ? LWS_WRITE_BINARY : LWS_WRITE_TEXT;
    std::uint8_t* payload = message.payload();
    if (limits_.copyBeforeWrite) {
        const ByteView bytes = message.bytes();
        scratch_.resize(WireMessage::kHeadroom + bytes.size());
        payload = scratch_.data() + WireMessage::kHeadroom;
        std::copy(bytes.begin(), bytes.end(), payload);
    }
    return lws_write(socket_, payload, message.size(), protocol) >= 0;
}

bool PeerConnection::writable() {
    waitingSince_.reset();
    if (ended_) return true;  // the close frame is out: a second end would not wait for the peer's
    if (closing_ && !session_) return endNow();
    bool saidAll = false;
    for (int turn = 0; turn < kMessagesPerTurn && lws_send_pipe_choked(socket_) == 0; ++turn) {
        const auto message = session_->pop();
        saidAll = !message;
        if (saidAll) break;
        if (!write(*message)) return false;
    }
    if (!closing_ && session_->closeWish()) {
        closing_ = session_->closeWish();
        ticksToLive_ = kPatientTicks;
    }
    if (closing_ && saidAll) return endNow();
    followSession();
    return true;
}

bool PeerConnection::endNow() {
    ended_ = true;
    if (closing_->code != kNoCloseFrame) {
        std::string reason = closing_->reason.substr(0, 120);
        lws_close_reason(socket_, static_cast<lws_close_status>(closing_->code),
                         reinterpret_cast<unsigned char*>(reason.data()), reason.size());
    }
    if (session_) close(*closing_);
    return false;
}

void PeerConnection::close(CloseWish wish) {
    if (session_) {
        exchange_.remove(session_->id());
        session_.reset();
    }
    incoming_.clear();
    if (!closing_) {
        ticksToLive_ = wish.code == 4429 ? kShortTicks : kPatientTicks;
        closing_ = std::move(wish);
    }
    lws_callback_on_writable(socket_);
}

void PeerConnection::tick() {
    if (closing_ && --ticksToLive_ <= 0) {
        // Unread, our data would live on in the kernel for minutes. And a time limit that has passed is the
        // one end libwebsockets never tries to soften.
        const linger atOnce{.l_onoff = 1, .l_linger = 0};
        setsockopt(lws_get_socket_fd(socket_), SOL_SOCKET, SO_LINGER, &atOnce, sizeof atOnce);
        lws_set_timeout(socket_, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
        return;
    }
    if (!session_) return;
    meterInbound();
    if (!session_) return;
    // While libwebsockets itself holds a rest, the kernel knows of less than was written.
    if (lws_partial_buffered(socket_) == 0) session_->transmitted(bytesOutstanding(socket_));
    session_->tick();
    if (waitingSince_ && clock_.monotonic() - *waitingSince_ > limits_.stallAfter) {
        session_->readsTooSlowly();
        return close(*session_->closeWish());
    }
    followSession();
}

void PeerConnection::meterInbound() {
    const std::uint64_t total = bytesReceived(socket_);
    const std::uint64_t fresh = total - std::min(total, std::exchange(bytesSeen_, total));
    if (fresh == 0) return;
    // Pings and halves of messages never reach received(), but they are life, and they can be a flood.
    lws_validity_confirmed(socket_);
    if (!inboundBytes_.take(static_cast<double>(fresh), clock_.monotonic())) {
        close({4429, "sends too much"});
    }
}

}  // namespace edgecam::uplink
