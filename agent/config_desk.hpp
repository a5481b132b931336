// ConfigDesk: the config in force and the ways to another one: the operator's file when it is read again, and
// what administrators apply from afar, on trial. It keeps what was confirmed. It knows no socket, and of the
// running agent what it was given to ask. Main thread only; blocks on the disk and as long as Ways::apply
// does.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>

#include "agent/config_change.hpp"
#include "agent/config_in_force.hpp"
#include "agent/config_trial.hpp"
#include "agent/data_dir.hpp"
#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "uplink/command.hpp"

namespace edgecam::agent {

class ConfigDesk {
  public:
    /// What it asks of the agent.
    struct Ways {
        /// A config as it was written, with the cameras found that it asks for.
        std::function<Config(Config config)> completed;
        std::function<const Config&()> running;  ///< with the old values of what needs a restart
        /// Whether the files that a change newly names can be used.
        std::function<Result<void>(const Config& config, const ConfigChange& change)> check;
        std::function<ConfigChange(Config config)> apply;
        std::function<std::map<std::string, bool>()> liveUplinks;  ///< by id: whether it is live
        std::function<void(const uplink::ConfigNews& news)> tell;
    };
    /// `clock` must outlive the desk.
    ConfigDesk(ConfigInForce inForce, DataDir dataDir, const Clock& clock, Ways ways);

    /// What an administrator asks for; answered at once.
    uplink::Outcome execute(const uplink::AskConfig& ask);
    /// The operator's file is to be read again: what came of it, for the log, or why it is refused and all
    /// stays as it is.
    Result<std::string> reread();
    /// As in ConfigTrial.
    void uplinkSeen(const std::string& id, bool live, Monotonic when);
    /// About once a second: a trial may be over.
    void look();

    /// Where the config in force is from, whether it is on trial, and what of it needs a restart: fields of
    /// an object that the caller has begun.
    void writeStanding(JsonWriter& json) const;

  private:
    struct Candidate {
        Config config;
        std::string document;
        ConfigChange change;
    };
    struct Before {
        ConfigInForce inForce;  ///< what returns
        std::string by;         ///< who applied the other one
        bool saidUnwritten = false;
    };

    [[nodiscard]] uplink::Outcome show() const;
    uplink::Outcome check(const std::string& text) const;
    uplink::Outcome apply(const uplink::AskConfig& ask);
    uplink::Outcome confirm(const std::string& by);
    uplink::Outcome revert(const std::string& by);
    [[nodiscard]] std::variant<Candidate, uplink::Refusal> read(const std::string& text) const;
    [[nodiscard]] std::string standing() const;
    Result<void> keep();
    void bringBack(const std::string& why);
    void tell(const char* what, const std::string& why);

    ConfigInForce inForce_;
    DataDir dataDir_;
    const Clock& clock_;
    const Ways ways_;
    ConfigTrial trial_;
    std::optional<Before> before_;  ///< while a trial runs
};

}  // namespace edgecam::agent
