// The command line: reads it and calls the command.
#include <CLI/CLI.hpp>

#include "agent/commands.hpp"
#include "agent/places.hpp"
#include "base/allocator.hpp"

using namespace edgecam::agent;

int main(int argc, char** argv) {
    edgecam::useOneHeap();
    CLI::App app{
        "edgecam: an edge camera agent. Captures from V4L2 or RTSP, finds faces on the device, and serves "
        "or pushes video and events over one WebSocket."};
    app.require_subcommand(1);
    app.footer("Try: edgecam run");

    RunOptions runOptions;
    CLI::App* run = app.add_subcommand("run", "Run the agent until it is told to stop (SIGINT, SIGTERM)");
    constexpr const char* kConfigHelp =
        "The config file (JSON with comments). Default: /etc/edgecam/config.json if it is there; else none, "
        "and what is "
        "left out of one holds: all V4L2 cameras, the page on 127.0.0.1:8080";
    run->add_option("-c,--config", runOptions.config, kConfigHelp);
    run->add_option("--log-level", runOptions.logLevel, "Overrides the config's log_level")
        ->check(CLI::IsMember({"error", "warning", "info", "debug"}));

    std::string checkedConfig;
    CLI::App* check = app.add_subcommand("check", "Validate a config and say what is wrong where");
    check->add_option("config,-c,--config", checkedConfig, kConfigHelp);

    ProbeOptions probeOptions;
    CLI::App* probe =
        app.add_subcommand("probe", "List this machine's cameras, H.264 encoders and face model");
    probe->add_flag("--json", probeOptions.json, "Print JSON");
    probe->add_option("--model", probeOptions.model, "Path of the face model");
    probe->add_option("--source", probeOptions.source,
                      "Open this source too, as in a config; - reads it from the standard input, so that no "
                      "password stands in the list of processes");

    DetectOptions detectOptions;
    CLI::App* detect = app.add_subcommand("detect", "Find faces in pictures; prints one JSON line a picture");
    detect->add_option("pictures", detectOptions.pictures, "JPEG or PNG files")->required();
    detect->add_option("--draw", detectOptions.draw, "Write the (one) picture with the faces drawn, as JPEG");
    detect->add_option("--model", detectOptions.model, "Path of the face model");
    detect->add_option("--min-confidence", detectOptions.minConfidence, "Leave out weaker ones")
        ->check(CLI::Range(0.05, 0.95))
        ->capture_default_str();
    detect->add_option("--width", detectOptions.inputSize.width, "Fit pictures into this before analysis")
        ->check(CLI::Range(32, 4096))
        ->capture_default_str();
    detect->add_option("--height", detectOptions.inputSize.height, "Likewise")
        ->check(CLI::Range(32, 4096))
        ->capture_default_str();

    std::string tokenConfig;
    CLI::App* token =
        app.add_subcommand("token", "Print the page's address with the token that the agent made");
    auto* tokenOf = token->add_option("config,-c,--config", tokenConfig, kConfigHelp);
    bool hash = false;
    token
        ->add_flag(
            "--hash", hash,
            "Instead: read a token from the standard input, print it as a config may hold it (token_hash)")
        ->excludes(tokenOf);

    StatusOptions statusOptions;
    CLI::App* status =
        app.add_subcommand("status", "Say how the running agent stands: cameras, uplinks, journal");
    status->add_option("config,-c,--config", statusOptions.config, kConfigHelp);
    status->add_flag("--json", statusOptions.json, "Print JSON");

    CLI::App* version = app.add_subcommand("version", "Print versions");

    std::optional<std::string> viewersLogLevel;
    CLI::App* viewers =
        app.add_subcommand("viewers", "Serve viewers on behalf of an agent that started this");
    viewers->group("");  // not for people
    viewers->add_option("--log-level", viewersLogLevel);

    CLI11_PARSE(app, argc, argv);
    if (*run) {
        runOptions.config = configPath(runOptions.config);
        return runCommand(runOptions);
    }
    if (*viewers) return viewersCommand(viewersLogLevel);
    if (*check) return checkCommand(configPath(checkedConfig));
    if (*probe) return probeCommand(probeOptions);
    if (*detect) return detectCommand(detectOptions);
    if (*token && hash) return hashTokenCommand();
    if (*token) return tokenCommand(configPath(tokenConfig));
    if (*status) {
        statusOptions.config = configPath(statusOptions.config);
        return statusCommand(statusOptions);
    }
    if (*version) return versionCommand();
    return 0;
}
