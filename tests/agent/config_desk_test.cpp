// Which config is in force, and how another one comes to be: with files on disk, and an agent that only
// remembers what it was given.
#include "agent/config_desk.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/fake_clock.hpp"
#include "tests/support/temp_folder.hpp"

using namespace edgecam;
using namespace edgecam::agent;
using namespace std::chrono_literals;
using uplink::AskConfig;
using uplink::ConfigAction;
using uplink::Refusal;
using uplink::Report;
namespace fs = std::filesystem;

namespace {

class Box {
  public:
    Box() {
        write("bars");
        start();
    }

    /// The operator's file, with this picture for its one camera.
    void write(const std::string& picture) const {
        std::ofstream(folder_.path() + "/config.json") << document(picture) << " // by hand\n";
    }
    [[nodiscard]] std::string document(const std::string& picture, const std::string& more = "") const {
        return R"({"data_dir":")" + folder_.path() + R"(/data","cameras":[{"id":"a","source":"test://)" +
               picture + R"("}])" + more + "}";
    }

    /// As after a power cut.
    void start() {
        desk.reset();
        auto file = readConfigFile(folder_.path() + "/config.json");
        REQUIRE(file);
        auto inForce = takeConfig(*file);
        REQUIRE(inForce);
        running = inForce->config;
        desk.emplace(*inForce, *DataDir::open(inForce->config.dataDir), clock,
                     ConfigDesk::Ways{
                         .completed = [](Config config) { return config; },
                         .running = [this]() -> const Config& { return running; },
                         .check = [this](const Config&, const ConfigChange&) { return checked; },
                         .apply =
                             [this](Config config) {
                                 ConfigChange change = changeBetween(running, config);
                                 running = withoutRestart(running, std::move(config));
                                 ++applied;
                                 return change;
                             },
                         .liveUplinks = [this] { return live; },
                         .tell = [this](const auto& said) { news.push_back(said.json); },
                     });
    }

    uplink::Outcome ask(ConfigAction action, const std::string& candidate = {}) {
        return desk->execute(AskConfig{action, candidate, 10s, "chief"});
    }
    /// The code of a refusal, else the report.
    std::string say(ConfigAction action, const std::string& candidate = {}) {
        const auto outcome = ask(action, candidate);
        const auto* refusal = std::get_if<Refusal>(&outcome);
        return refusal != nullptr ? nameOf(refusal->code) : std::get<Report>(outcome).json;
    }
    [[nodiscard]] std::string picture() const {
        constexpr std::array kNames{"faces", "bars", "noise"};
        return kNames.at(static_cast<std::size_t>(running.cameras.at(0).source.pattern));
    }
    [[nodiscard]] const std::string& folder() const { return folder_.path(); }
    [[nodiscard]] std::string path(const char* name) const { return folder_.path() + "/data/" + name; }
    [[nodiscard]] bool told(const std::string& what) const {
        return !news.empty() && news.back().find(R"("change":")" + what + "\"") != std::string::npos;
    }
    void later(Microseconds time) {
        clock.advance(time);
        desk->look();
    }

    edgecam::test::FakeClock clock;
    Config running;
    Result<void> checked;
    std::map<std::string, bool> live;
    std::vector<std::string> news;
    int applied = 0;
    std::optional<ConfigDesk> desk;

  private:
    edgecam::test::TempFolder folder_;
};

bool holds(const std::string& text, const std::string& piece) {
    return text.find(piece) != std::string::npos;
}

}  // namespace

TEST_CASE("nobody confirms: the old one returns, and until then nothing is on disk") {
    Box box;
    CHECK(holds(box.say(ConfigAction::apply, box.document("noise")), R"("state":"on_trial")"));
    CHECK(box.picture() == "noise");
    CHECK(box.told("on_trial"));
    CHECK_FALSE(fs::exists(box.path("remote_config.json")));
    CHECK(box.say(ConfigAction::apply, box.document("faces")) == "conflict");
    box.later(9s);
    CHECK(box.picture() == "noise");
    box.later(1s);
    CHECK(box.picture() == "bars");
    CHECK(box.told("reverted"));
    CHECK(box.applied == 2);
    box.later(100s);
    CHECK(box.applied == 2);
    CHECK(box.say(ConfigAction::confirm) == "conflict");
}

TEST_CASE("the power goes during a trial") {
    Box box;
    box.say(ConfigAction::apply, box.document("noise"));
    box.start();
    CHECK(box.picture() == "bars");
}

TEST_CASE("what is confirmed runs over restarts, until the file says something else") {
    Box box;
    box.say(ConfigAction::apply, box.document("noise"));
    CHECK(holds(box.say(ConfigAction::confirm), R"("source":"remote")"));
    CHECK(box.told("confirmed"));
    box.later(100s);
    CHECK(box.picture() == "noise");
    box.start();
    CHECK(box.picture() == "noise");
    CHECK(fs::status(box.path("remote_config.json")).permissions() ==
          (fs::perms::owner_read | fs::perms::owner_write));

    SUBCASE("other commands see it too") {
        CHECK(configInForce(box.folder() + "/config.json")->cameras.at(0).source.pattern ==
              capture::TestPattern::noise);
        box.write("faces");
        CHECK(configInForce(box.folder() + "/config.json")->cameras.at(0).source.pattern ==
              capture::TestPattern::faces);
        CHECK(fs::exists(box.path("remote_config.json")));
    }
    SUBCASE("a trial over it returns to it") {
        box.say(ConfigAction::apply, box.document("faces"));
        CHECK(holds(box.say(ConfigAction::revert), R"("source":"remote")"));
        CHECK(box.picture() == "noise");
    }
    SUBCASE("read again the file takes nothing back as long as it says the same") {
        REQUIRE(box.desk->reread());
        CHECK(box.picture() == "noise");
        box.write("faces");
        REQUIRE(box.desk->reread());
        CHECK(box.picture() == "faces");
        CHECK(box.told("file_changed"));
        box.write("bars");  // as it was: what was set aside does not come back
        box.start();
        CHECK(box.picture() == "bars");
    }
    SUBCASE("at a start the changed file holds") {
        box.write("faces");
        box.start();
        CHECK(box.picture() == "faces");
        CHECK(fs::exists(box.path("remote_config.old.json")));
        CHECK_FALSE(fs::exists(box.path("remote_config.json")));
    }
    SUBCASE("the same as the file says needs no file of its own") {
        box.say(ConfigAction::apply, box.document("bars"));
        CHECK(holds(box.say(ConfigAction::confirm), R"("source":"file")"));
        CHECK_FALSE(fs::exists(box.path("remote_config.json")));
    }
    SUBCASE("broken, it is not used") {
        std::ofstream(box.path("remote_config.json")) << "{}";
        box.start();
        CHECK(box.picture() == "bars");
    }
}

TEST_CASE("a trial has an end, whatever the viewers' process says") {
    Box box;
    box.desk->execute(AskConfig{ConfigAction::apply, box.document("noise"), Microseconds::max(), "chief"});
    box.later(601s);
    CHECK(box.picture() == "bars");
    box.desk->execute(AskConfig{ConfigAction::apply, box.document("noise"), Microseconds::min(), "chief"});
    CHECK(box.picture() == "noise");
    box.later(1s);
    CHECK(box.picture() == "bars");
    const auto outcome = box.desk->execute(AskConfig{static_cast<ConfigAction>(99), "{}", 1s, "chief"});
    CHECK(std::holds_alternative<Refusal>(outcome));
}

TEST_CASE("an uplink that is reached with the new config confirms it, one that stays live does not") {
    Box box;
    box.live = {{"east", true}};
    box.say(ConfigAction::apply, box.document("noise"));
    box.clock.advance(1s);
    box.desk->uplinkSeen("east", true, box.clock.monotonic());
    CHECK_FALSE(fs::exists(box.path("remote_config.json")));
    box.desk->uplinkSeen("east", false, box.clock.monotonic());
    box.desk->uplinkSeen("east", true, box.clock.monotonic());
    CHECK(fs::exists(box.path("remote_config.json")));
    CHECK(box.told("confirmed"));
}

TEST_CASE("a file that is changed during a trial ends it") {
    Box box;
    box.say(ConfigAction::apply, box.document("noise"));
    REQUIRE(box.desk->reread());
    CHECK(box.picture() == "noise");
    box.write("faces");
    REQUIRE(box.desk->reread());
    CHECK(box.picture() == "faces");
    box.later(100s);
    CHECK(box.picture() == "faces");
    CHECK(box.say(ConfigAction::confirm) == "conflict");
}

TEST_CASE("what cannot be used or not be tried is refused, and nothing changes") {
    Box box;
    for (const ConfigAction action : {ConfigAction::check, ConfigAction::apply}) {
        CHECK(box.say(action, "{") == "bad_request");
        CHECK(box.say(action, R"({"cameras":7})") == "bad_request");
        CHECK(box.say(action, box.document("gopher")) == "bad_request");
    }
    CHECK(box.say(ConfigAction::apply, R"({"cameras":[]})") == "conflict");  // another data_dir
    CHECK(box.say(ConfigAction::apply, box.document("noise", R"(,"agent_id":"other")")) == "conflict");
    CHECK(holds(box.say(ConfigAction::check, box.document("noise", R"(,"agent_id":"other")")),
                R"("needs_restart":["/agent_id"])"));
    box.checked = Error{"/uplinks/0/ca_file: no such file"};
    const auto outcome = box.ask(ConfigAction::apply, box.document("noise"));
    REQUIRE(std::get_if<Refusal>(&outcome) != nullptr);
    CHECK(std::get<Refusal>(outcome).field == "config/uplinks/0/ca_file");
    CHECK(box.applied == 0);
    CHECK(box.news.empty());
}

TEST_CASE("what the file has that needs a restart is no obstacle, and is shown") {
    Box box;
    box.running.agentId = "as it runs";
    CHECK(holds(box.say(ConfigAction::get), R"("needs_restart":["/agent_id"])"));
    CHECK(holds(box.say(ConfigAction::apply, box.document("noise")), R"("state":"on_trial")"));
    CHECK(box.running.agentId == "as it runs");
}

TEST_CASE("what cannot be written down stays on trial, and is kept as soon as it can be") {
    Box box;
    fs::create_directories(box.path("remote_config.json/in the way"));
    box.say(ConfigAction::apply, box.document("noise"));
    CHECK(box.say(ConfigAction::confirm) == "unavailable");
    SUBCASE("in time") {
        fs::remove_all(box.path("remote_config.json"));
        box.later(1s);
        CHECK(box.told("confirmed"));
        box.later(100s);
        CHECK(box.picture() == "noise");
    }
    SUBCASE("not in time") {
        box.later(10s);
        CHECK(box.told("reverted"));
        CHECK(box.picture() == "bars");
    }
}
