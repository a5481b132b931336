#include "uplink/peer_connection.hpp"

#include <libwebsockets.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "uplink/denial.hpp"

namespace edgecam::uplink {
namespace {

static_assert(LWS_PRE == WireMessage::kHeadroom, "WireMessage leaves the room libwebsockets writes into");

// One peer's turn: others are served in between.
constexpr int kMessagesPerTurn = 32;
// A close that the peer does not answer is cut off after so many ticks; one that floods us, sooner.
constexpr int kPatientTicks = 20;
constexpr int kShortTicks = 3;
// When to look again for room, however long that may be thought to take.
constexpr Microseconds kSoonestLook = std::chrono::milliseconds(2);
constexpr Microseconds kLatestLook = std::chrono::milliseconds(20);
// What an encoder hears of the queue may be so old.
constexpr Microseconds kGateInterval = std::chrono::milliseconds(10);
// What an encoder is asked for, however little passes; and what no camera of today needs more than.
constexpr int kLeastVideoKbps = 20;
constexpr int kMostVideoKbps = 20'000;
// Not a code that travels (RFC 6455 section 7.1.5): drop the connection without a close frame.
constexpr std::uint16_t kNoCloseFrame = 1006;

void setOption(lws* socket, int option, int value) {
    setsockopt(lws_get_socket_fd(socket), IPPROTO_TCP, option, &value, sizeof value);
}

}  // namespace

PeerConnection::PeerConnection(lws* socket, ServiceTimers& timers, std::unique_ptr<PeerSession> session,
                               PeerExchange& exchange, const ConnectionLimits& limits, const Clock& clock)
    : socket_(socket),
      session_(std::move(session)),
      exchange_(exchange),
      limits_(limits),
      clock_(clock),
      inboundBytes_(limits.bytesPerSecond, limits.byteBurst, clock.monotonic()),
      inboundFrames_(limits.framesPerSecond, limits.frameBurst, clock.monotonic()),
      heardAt_(clock.monotonic()),
      link_(limits.leastAllowance),
      roomTimer_(timers,
                 [this] {
                     look();
                     followSession();
                 }),
      gateTimer_(timers, [this] { tellGate(); }),
      followedAt_(clock.monotonic()) {
    if (limits_.followsLink) {
        const RateLimits range{
            .leastKbps = kLeastVideoKbps,
            .mostKbps = limits_.mostVideoKbps > 0 ? limits_.mostVideoKbps : kMostVideoKbps};
        RateTuning tuning;
        tuning.pictureWait = limits_.videoWait;
        rate_.emplace(range, tuning);
        gate_ = std::make_shared<LinkGate>();
        linkIsLimit_ = limits_.mostVideoKbps > 0;
    }
    setOption(socket_, TCP_NODELAY, 1);
    setOption(socket_, TCP_NOTSENT_LOWAT, limits_.unsentBytes);
    if (session_) {
        exchange_.add(*session_);
        if (limits_.plan != nullptr) session_->followPlan(limits_.plan->figures());
        followSession();
    }
}

PeerConnection::~PeerConnection() {
    if (const auto last = readLink(lws_get_socket_fd(socket_), clock_.monotonic())) countForPlan(*last);
    if (session_) exchange_.remove(session_->id());
}

void PeerConnection::heard() {
    heardAt_ = clock_.monotonic();
    lws_validity_confirmed(socket_);
}

void PeerConnection::received(std::string_view part) {
    if (closing_) return;
    heard();
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
    }
    // Each frame counts: a million empty fragments are a flood too, and little of one in bytes.
    const bool wholeFrame = lws_remaining_packet_payload(socket_) == 0;
    if (wholeFrame && !inboundFrames_.take(1, clock_.monotonic())) {
        return close(closeWishFor(Denial::messageRate));
    }
    followSession();
}

void PeerConnection::askToWrite() {
    if (session_) return followSession();
    lws_callback_on_writable(socket_);
}

void PeerConnection::followSession() {
    if (!session_) return;
    if (session_->hasOutput() && !waitingSince_) waitingSince_ = clock_.monotonic();
    const bool urgent = session_->closeWish() || session_->hasOutput(kLastUrgentLane);
    if (urgent || (session_->hasOutput() && linkHasRoom(outstanding()))) {
        lws_callback_on_writable(socket_);
    } else if (session_->hasOutput()) {
        waitForRoom();
    }
}

void PeerConnection::sayWhatIsNew() {
    if (!session_ || (!session_->hasOutput() && !session_->closeWish())) return;
    // Whether the link has room is asked once, when the socket takes something. Until it had none, that is.
    if (roomTimer_.running()) return followSession();
    if (session_->hasOutput() && !waitingSince_) waitingSince_ = clock_.monotonic();
    lws_callback_on_writable(socket_);
}

bool PeerConnection::linkHasRoom(std::size_t outstanding) const {
    return !limits_.holdsVideoBack || link_.hasRoom(outstanding, clock_.monotonic());
}

std::size_t PeerConnection::outstanding() const {
    return readOutstanding(lws_get_socket_fd(socket_));
}

// Asked to write, libwebsockets would call at once and for ever: the socket itself has room.
void PeerConnection::waitForRoom() {
    if (roomTimer_.running()) return;
    const Microseconds estimate = link_.timeToRoom(outstanding(), clock_.monotonic());
    roomTimer_.start(link_.probing() ? kSoonestLook : std::clamp(estimate, kSoonestLook, kLatestLook));
}

std::optional<LinkSample> PeerConnection::look() {
    const Monotonic now = clock_.monotonic();
    auto sample = readLink(lws_get_socket_fd(socket_), now);
    if (!sample) return std::nullopt;
    settleTimed(sample->outstanding, sample);
    countForPlan(*sample);
    sample->held = std::exchange(held_, session_ && session_->hasOutput());
    link_.add(*sample);
    // That the socket takes something means little: it takes small messages for minutes while the peer reads
    // nothing.
    if (std::exchange(ackedSeen_, sample->acked) != sample->acked) waitingSince_.reset();
    if (session_) meterInbound(sample->received);
    return sample;
}

/// Ten times a second. Nothing is said before the link was the limit: a picture that nobody thinned is the
/// best one, and may be others' too.
void PeerConnection::followLink(const LinkSample& sample) {
    // What was coded and never came here (dropped, or a delta behind a cut) would close the gate for ever.
    tellGate();
    const LaneUse video = session_->laneUse(Lane::video);
    const Microseconds span = std::max(sample.at - followedAt_, Microseconds(1));
    const Microseconds receiver = sample.receiverLimited - receiverLimitedSeen_;
    const double limited =
        std::clamp(static_cast<double>(receiver.count()) / static_cast<double>(span.count()), 0.0, 1.0);
    followedAt_ = sample.at;
    receiverLimitedSeen_ = sample.receiverLimited;
    const Microseconds least = link_.minimumRtt().value_or(Microseconds(0));
    const auto acked = session_->mediaAckDelay();
    rate_->refused(sample.at, gate_->takeRefused());
    const RateDecision decision = rate_->tick({.at = sample.at,
                                               .sojourn = video.age,
                                               .waiting = video.bytes,
                                               .unsent = sample.unsent,
                                               .outstanding = sample.outstanding,
                                               .leastRtt = least,
                                               .queueDelay = std::max(sample.rtt - least, Microseconds(0)),
                                               .acked = sample.acked,
                                               .appLimited = std::exchange(ranDry_, video.depth == 0),
                                               .receiverLimited = limited,
                                               .mediaAckDelay = acked});
    linkIsLimit_ = linkIsLimit_ || decision.state == RateState::cut || decision.state == RateState::survive;
    session_->linkSeen({.targetKbps = decision.kbps,
                        .state = decision.state,
                        .isLimit = linkIsLimit_,
                        .carriedKbps = static_cast<int>(link_.rate().value_or(0) * 8 / 1000),
                        .delay = rate_->delay(),
                        .roundTrip = least,
                        .receiverLimited = limited,
                        .ackDelay = acked});
    if (!linkIsLimit_) return;
    gate_->allow(rate_->pictureAllowance());
    session_->linkCarries(decision.kbps, gate_);
    if (decision.flush) session_->flushVideo();
}

void PeerConnection::tellGate() {
    if (!gate_ || !session_) return;
    const LaneUse video = session_->laneUse(Lane::video);
    const std::size_t waits = video.bytes + outstanding();
    gate_->waits(waits);
    ranDry_ = ranDry_ || video.depth == 0;
    if (linkIsLimit_ && waits > 0 && !gateTimer_.running()) gateTimer_.start(kGateInterval);
}

void PeerConnection::handedOver(const WireMessage& message) {
    const Monotonic now = clock_.monotonic();
    link_.wrote(message.size(), now);
    if (timed_) timed_->bytesBehind += message.size();
    if (!message.madeAt()) return;
    exchange_.countQueued(now - *message.madeAt());
    if (!timed_ && std::exchange(timesNext_, false)) timed_ = TimedPicture{now};
}

// The last acknowledgement may be of what was written after it; where much is, somebody looks often.
void PeerConnection::settleTimed(std::size_t outstanding, std::optional<LinkSample> sample) {
    // While libwebsockets itself holds a rest, the kernel knows of less than was written.
    if (!timed_ || outstanding > timed_->bytesBehind || lws_partial_buffered(socket_) != 0) return;
    const Monotonic now = clock_.monotonic();
    if (!sample) sample = readLink(lws_get_socket_fd(socket_), now);
    if (sample) {
        const Microseconds sinceHanded = now - timed_->handedAt;
        exchange_.countAcknowledged(
            std::min(std::max(sinceHanded - sample->sinceAck, sample->leastRtt), sinceHanded));
    }
    timed_.reset();
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
    if (ended_ || endIfBroken()) return true;  // the close frame is out: nothing may follow it
    if (closing_ && !session_) return endNow();
    if (held_) look();
    // Once for the turn: what is written in it is added, what is acknowledged meanwhile is not looked for.
    std::size_t underWay = outstanding();
    settleTimed(underWay, {});
    if (!session_) return true;
    bool saidAll = false;
    for (int turn = 0; turn < kMessagesPerTurn; ++turn) {
        // System calls are saved where nothing waits, behind the one message of most turns, and before it:
        // this is called because the socket takes something.
        saidAll = !session_->hasOutput();
        if (saidAll || (turn > 0 && lws_send_pipe_choked(socket_) != 0)) break;
        const auto message = session_->pop(linkHasRoom(underWay) ? Lane::bulk : kLastUrgentLane);
        saidAll = !message;
        if (saidAll) break;
        if (!write(*message)) return false;
        handedOver(*message);
        underWay += message->size();
    }
    if (!session_->hasOutput()) {
        held_ = false;
        waitingSince_.reset();
    }
    if (!closing_ && session_->closeWish()) {
        closing_ = session_->closeWish();
        ticksToLive_ = kPatientTicks;
    }
    if (closing_ && saidAll) return endNow();
    tellGate();
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
        ticksToLive_ = wish.code == 4429 || ended_ ? kShortTicks : kPatientTicks;
        closing_ = std::move(wish);
    }
    lws_callback_on_writable(socket_);
}

bool PeerConnection::endIfBroken() {
    // Its close frame is prepared, and not by endNow().
    if (closing_ || lws_get_close_length(socket_) == 0) return false;
    ended_ = true;
    close(closeWishFor(Denial::framing));
    return true;
}

void PeerConnection::cut() {
    // Unread, our data would live on in the kernel for minutes. And a time limit that has passed is the one
    // end libwebsockets never tries to soften.
    const linger atOnce{.l_onoff = 1, .l_linger = 0};
    setsockopt(lws_get_socket_fd(socket_), SOL_SOCKET, SO_LINGER, &atOnce, sizeof atOnce);
    // A close frame that libwebsockets sends before then would set another limit: the next tick says it
    // again.
    ended_ = true;
    ticksToLive_ = 0;
    lws_set_timeout(socket_, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

void PeerConnection::tick() {
    endIfBroken();
    if (closing_ && --ticksToLive_ <= 0) return cut();
    const auto sample = look();
    timesNext_ = true;
    if (!session_) return;
    if (limits_.plan != nullptr) session_->followPlan(limits_.plan->figures());
    if (rate_ && sample) followLink(*sample);
    // While libwebsockets itself holds a rest, the kernel knows of less than was written.
    if (lws_partial_buffered(socket_) == 0)
        session_->transmitted(readOutstanding(lws_get_socket_fd(socket_)));
    session_->tick();
    if (waitingSince_ && clock_.monotonic() - *waitingSince_ > limits_.stallAfter) {
        session_->readsTooSlowly();
        return close(*session_->closeWish());
    }
    followSession();
}

void PeerConnection::meterInbound(std::uint64_t totalReceived) {
    const std::uint64_t fresh =
        totalReceived - std::min(totalReceived, std::exchange(bytesSeen_, totalReceived));
    if (fresh == 0) return;
    // Pings and halves of messages never reach received(), but they are life, and they can be a flood.
    heard();
    const bool flood = isNewcomer() && totalReceived > limits_.newcomerBytes;
    if (flood || !inboundBytes_.take(static_cast<double>(fresh), clock_.monotonic())) {
        close(closeWishFor(Denial::byteRate));
        // What still comes is not worth being read: parsing a flood of empty frames is what takes the time.
        lws_rx_flow_control(socket_, 0);
    }
}

void PeerConnection::countForPlan(const LinkSample& sample) {
    if (limits_.plan == nullptr) return;
    const std::uint64_t total = sample.carried();
    if (total > plannedBytes_) limits_.plan->count(total - std::exchange(plannedBytes_, total));
}

bool PeerConnection::isNewcomer() const {
    return limits_.newcomerBytes > 0 && session_ && !session_->authenticated();
}

}  // namespace edgecam::uplink
