// ProbeRun: `edgecam probe` as a program of its own, started by the agent: a driver that hangs, or a source
// that takes its time, costs the agent nothing. Main thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace edgecam::agent {

class ProbeRun {
  public:
    struct Order {
        std::string model;   ///< path of the face model; empty: search
        std::string source;  ///< to be opened too, may hold a password; empty: none
        Microseconds within = std::chrono::seconds(8);
        std::string program = "/proc/self/exe";
    };
    /// The JSON text that it printed, an object; or why there is none.
    using Done = std::function<void(Result<std::string> json)>;

    /// Starts it; `done` is called once, later, on the main thread, unless this is destroyed before. Does not
    /// block.
    static Result<std::unique_ptr<ProbeRun>> start(const Order& order, Done done);
    /// Kills what still runs, and waits for nothing.
    ~ProbeRun();
    ProbeRun(const ProbeRun&) = delete;
    ProbeRun& operator=(const ProbeRun&) = delete;

    /// Whether the program is still there; one that hangs in a driver may be for long after `done`.
    [[nodiscard]] bool running() const;

    struct State;

  private:
    explicit ProbeRun(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
};

}  // namespace edgecam::agent
