// AnswerBook: one answer for one request. Knows which requests wait for the agent, when their time is over,
// and what was answered to the last ids, so that a repeated request does nothing twice. Knows no JSON beyond
// the text of an id; part of PeerSession.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "uplink/command.hpp"
#include "uplink/wire_message.hpp"

namespace edgecam::uplink {

/// A request that is answered when all its cameras have settled.
struct OpenRequest {
    std::optional<std::string> id;  ///< as JSON text
    bool many = false;              ///< answered by `data.results`
    std::size_t open = 0;           ///< cameras that have not settled
    std::vector<std::string> results;
    std::string what;                 ///< for the audit log; empty: nothing that changes anything
    std::vector<RenditionId> behind;  ///< what is half sent of these goes out before the answer
    std::optional<Monotonic> expiresAt;
};

/// What the agent was asked for one camera.
struct Ticket {
    std::shared_ptr<OpenRequest> request;
    std::string cameraId;
    CameraAction action;
    Monotonic due;
};

/// Not thread-safe.
class AnswerBook {
  public:
    static constexpr std::size_t kMaxTickets = 1024;
    static constexpr std::size_t kMaxAnswers = 64;
    static constexpr std::size_t kMaxAnswerBytes = 256 << 10;

    /// Whether an id is one that was seen; its answer, when there is one already.
    struct Memory {
        bool seen = false;
        std::optional<WireMessage> answer;
    };
    [[nodiscard]] Memory recall(const std::string& id) const;
    void begin(const std::string& id) { answers_.try_emplace(id); }
    /// Remembers the answer; the oldest are forgotten beyond the bounds.
    void finish(const std::string& id, const WireMessage& answer);

    [[nodiscard]] bool hasRoomFor(std::size_t tickets) const {
        return tickets_.size() + tickets <= kMaxTickets;
    }
    TicketId issue(Ticket ticket);
    /// Takes the ticket out; nothing: unknown, or its time was over.
    std::optional<Ticket> take(TicketId ticket);
    std::vector<TicketId> overdue(Monotonic now) const;

  private:
    std::map<std::string, std::optional<WireMessage>> answers_;
    std::deque<std::string> answeredOrder_;
    std::size_t answerBytes_ = 0;
    std::map<TicketId, Ticket> tickets_;
    TicketId lastTicket_ = 0;
};

}  // namespace edgecam::uplink
