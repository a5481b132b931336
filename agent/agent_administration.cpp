// Agent: what administrators ask of it as a whole.
#include <utility>

#include "agent/agent.hpp"
#include "agent/diagnostics.hpp"
#include "agent/page_url.hpp"
#include "base/log.hpp"

namespace edgecam::agent {

void Agent::administer(const uplink::Command& command, const StreamDesk::Answer& answer) {
    if (const auto* config = std::get_if<uplink::AskConfig>(&command.action))
        return answer(configDesk_.execute(*config));
    if (std::holds_alternative<uplink::RotateToken>(command.action)) return answer(rotateToken());
    if (std::holds_alternative<uplink::AskDiagnostics>(command.action))
        return answer(uplink::Report{diagnose()});
    if (const auto* ask = std::get_if<uplink::AskProbe>(&command.action)) probe(*ask, answer);
}

void Agent::probe(const uplink::AskProbe& ask, const StreamDesk::Answer& answer) {
    if (probe_ && probe_->running())
        return answer(uplink::Refusal{uplink::ErrorCode::busy, "a probe runs already", ""});
    if (!ask.source.empty()) {
        if (const auto source = capture::parseSourceUri(ask.source); !source)
            return answer(uplink::Refusal{uplink::ErrorCode::badRequest, source.error().message, "source"});
    }
    auto run = ProbeRun::start(
        {.model = config_.vision.model, .source = ask.source}, [answer](Result<std::string> report) {
            if (report) return answer(uplink::Report{*std::move(report)});
            answer(uplink::Refusal{uplink::ErrorCode::unavailable, report.error().message, ""});
        });
    if (!run) return answer(uplink::Refusal{uplink::ErrorCode::unavailable, run.error().message, ""});
    probe_ = *std::move(run);
}

/// Also what `edgecam status` asks for.
void Agent::openStatusSocket() {
    auto socket = StatusSocket::open(StatusSocket::pathIn(dataDir_.path()), [this] { return diagnose(); });
    if (!socket) {
        logWarning("agent", "edgecam status will not be answered: ", socket.error().message);
        return;
    }
    statusSocket_ = *std::move(socket);
}

std::string Agent::diagnose() const {
    uplink::AgentView view = viewFor({});
    view.figures = figures_;
    // The page's address is without its token.
    return diagnosticsText(
        {.view = view,
         .config = config_,
         .configDesk = configDesk_,
         .page = server_ ? agent::pageUrl(config_.server, server_->port(), {}) : std::string(),
         .log = recentTroubles()},
        clock_);
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
