// Agent: what administrators ask of it as a whole.
#include <utility>

#include "agent/agent.hpp"

namespace edgecam::agent {

void Agent::administer(const uplink::Command& command, const StreamDesk::Answer& answer) {
    if (const auto* config = std::get_if<uplink::AskConfig>(&command.action))
        return answer(configDesk_.execute(*config));
    if (std::holds_alternative<uplink::RotateToken>(command.action)) return answer(rotateToken());
    answer(uplink::Refusal{uplink::ErrorCode::unsupported, "not in this version", ""});
}

uplink::Outcome Agent::rotateToken() {
    if (!tokens_) {
        return uplink::Refusal{uplink::ErrorCode::unsupported, "there is no local server, and no token of it",
                               ""};
    }
    auto token = tokens_->rotateOwn();
    if (!token) return uplink::Refusal{uplink::ErrorCode::internal, token.error().message, ""};
    return uplink::TokenRotated{.token = *std::move(token), .oldHoldsFor = TokenStore::kOldHolds};
}

}  // namespace edgecam::agent
