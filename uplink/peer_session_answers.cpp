#include "uplink/peer_session_answers.hpp"

#include <utility>

namespace edgecam::uplink {

AnswerBook::Memory AnswerBook::recall(const std::string& id) const {
    const auto found = answers_.find(id);
    if (found == answers_.end()) return {};
    return {true, found->second};
}

void AnswerBook::finish(const std::string& id, const WireMessage& answer) {
    answers_.insert_or_assign(id, answer);
    answeredOrder_.push_back(id);
    answerBytes_ += answer.size();
    while (answeredOrder_.size() > kMaxAnswers || answerBytes_ > kMaxAnswerBytes) {
        const auto oldest = answers_.find(answeredOrder_.front());
        if (oldest->second) answerBytes_ -= oldest->second->size();
        answers_.erase(oldest);
        answeredOrder_.pop_front();
    }
}

TicketId AnswerBook::issue(Ticket ticket) {
    tickets_.emplace(++lastTicket_, std::move(ticket));
    return lastTicket_;
}

std::optional<Ticket> AnswerBook::take(TicketId ticket) {
    auto node = tickets_.extract(ticket);
    if (!node) return std::nullopt;
    return std::move(node.mapped());
}

std::vector<TicketId> AnswerBook::overdue(Monotonic now) const {
    std::vector<TicketId> found;
    for (const auto& [id, ticket] : tickets_) {
        if (now >= ticket.due) found.push_back(id);
    }
    return found;
}

}  // namespace edgecam::uplink
