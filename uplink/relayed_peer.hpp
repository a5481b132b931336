// RelayedPeer: what the exchange takes for a session of the other process: it turns what is delivered into
// messages of the relay. It knows no process and no pipe.
#pragma once

#include <functional>

#include "uplink/peer_session.hpp"
#include "uplink/relay_messages.hpp"

namespace edgecam::uplink {

/// One stands for all that is said to everybody (kEverybody), and one for each real session over there, for
/// what is said to it alone. Thread-bound, as every session.
class RelayedPeer final : public PeerSession {
  public:
    static constexpr SessionId kEverybody = 0;
    using Say = std::function<void(const ToViewers&)>;

    /// `view`: the exchange's, which outlives it.
    RelayedPeer(SessionId id, const AgentView& view, Say say) : id_(id), view_(view), say_(std::move(say)) {}

    void receiveText(std::string_view) override {}
    void receiveBinary() override {}
    void receiveTooLarge() override {}
    void tick() override {}
    void transmitted(std::size_t) override {}
    void linkCarries(int, const std::shared_ptr<LinkGate>&) override {}
    void followPlan(const PlanFigures&) override {}
    [[nodiscard]] std::optional<Microseconds> mediaAckDelay() const override { return std::nullopt; }
    void linkSeen(const LinkFigures&) override {}
    void flushVideo() override {}
    void readsTooSlowly() override {}
    void complete(TicketId ticket, const Outcome& outcome) override;
    void regrant(const std::string& cameraId, const StreamGrant& grant) override;
    void cameraChanged(const CameraStatus& status) override;
    void cameraRemoved(const std::string& cameraId) override;
    void uplinkChanged(const UplinkStatus& status) override;
    void uplinkRemoved(const std::string& id) override;
    void figuresChanged() override;
    void configChanged(const ConfigNews& news) override;
    void deliver(const WireChunk& chunk) override;
    void deliver(const FaceEvent& event) override;
    void deliver(const Detections& detections) override;
    void deliver(const JournalPage&) override {}
    void deliver(const JournalSnapshot&) override {}
    void journalMoved() override {}
    void skipped(RenditionId rendition, const DropNotice& notice) override;
    void setPartBytes(std::size_t) override {}
    void goAway(Microseconds) override {}
    std::optional<WireMessage> pop(Lane) override { return std::nullopt; }
    [[nodiscard]] bool hasOutput(Lane) const override { return false; }
    [[nodiscard]] LaneUse laneUse(Lane) const override { return {}; }
    [[nodiscard]] std::optional<CloseWish> closeWish() const override { return std::nullopt; }
    [[nodiscard]] SessionId id() const override { return id_; }
    [[nodiscard]] bool authenticated() const override { return false; }
    [[nodiscard]] std::optional<Microseconds> retryAfter() const override { return std::nullopt; }
    [[nodiscard]] bool follows(RenditionId) const override { return isAll(); }
    [[nodiscard]] ConnectionFigures figures() override { return {}; }

  private:
    [[nodiscard]] bool isAll() const { return id_ == kEverybody; }

    const SessionId id_;
    const AgentView& view_;
    const Say say_;
};

}  // namespace edgecam::uplink
