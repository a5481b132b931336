#include <fcntl.h>
#include <glib.h>
#include <openssl/err.h>
#include <unistd.h>

#include <algorithm>
#include <span>
#include <string>
#include <string_view>

#include "agent/config_in_force.hpp"
#include "agent/data_dir.hpp"
#include "agent/secret_file.hpp"
#include "tests/fuzz/lines.hpp"
#include "tests/support/temp_folder.hpp"
#include "uplink/data_plan.hpp"
#include "uplink/event_story.hpp"
#include "uplink/signed_token.hpp"
#include "uplink/token_hash.hpp"

using namespace edgecam;

namespace {

void require(bool holds) {
    if (!holds) __builtin_trap();
}

/// In the place of the log: what is said of a file is one line that moves no cursor.
GLogWriterOutput seeLine(GLogLevelFlags, const GLogField* fields, gsize count, gpointer) {
    for (const GLogField& field : std::span(fields, count)) {
        if (std::string_view(field.key) != "MESSAGE") continue;
        const std::string_view line = static_cast<const char*>(field.value);
        require(std::ranges::all_of(line, [](char c) { return c >= ' ' && c <= '~'; }));
    }
    return G_LOG_WRITER_HANDLED;
}

class Folder {
  public:
    Folder() : dir_(*agent::DataDir::open(temp_.path())) { g_log_set_writer_func(seeLine, nullptr, nullptr); }
    [[nodiscard]] agent::DataDir& dir() { return dir_; }
    /// Written over, and cut afterwards: a file that is emptied first costs a write to the disk.
    [[nodiscard]] std::string put(const char* name, std::string_view content) const {
        const std::string path = temp_.path() + "/" + name;
        const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        const auto size = static_cast<ssize_t>(content.size());
        require(file >= 0 && write(file, content.data(), content.size()) == size &&
                ftruncate(file, size) == 0);
        close(file);
        return path;
    }

  private:
    test::TempFolder temp_;
    agent::DataDir dir_;
};

void checkRevoked(Folder& folder, std::string_view content) {
    (void)folder.put("revoked.json", content);
    const auto revoked = folder.dir().revokedTokens();
    for (const uplink::Revocation& each : revoked) {
        const auto again = uplink::TokenHash::parse(each.token.text());
        require(again && *again == each.token);
        require(!each.until || each.until->time_since_epoch() >= Microseconds(0));
    }
}

void checkCameras(Folder& folder, std::string_view content) {
    (void)folder.put("cameras.json", content);
    const auto ids = folder.dir().disabledCameras();
    require(ids.size() <= 1000);
    for (const std::string& id : ids) require(id.size() <= 64);
}

void checkPlans(Folder& folder, std::string_view content) {
    (void)folder.put("plans.json", content);
    const auto plans = folder.dir().usedPlans();
    for (const auto& [name, record] : plans) {
        for (const auto& month : {record.month, record.earlier}) {
            require(!month || (month->month.ok() && month->bytes <= uplink::DataPlan::kMostBytes));
        }
        // Whatever it says, a plan goes on from there.
        uplink::DataPlan plan(1'000'000, record);
        require(plan.figures().usedBytes <= uplink::DataPlan::kMostBytes);
        plan.synced(std::chrono::sys_days(std::chrono::year(2026) / 7 / 1), Monotonic(Microseconds(0)));
        plan.look(Monotonic(Microseconds(0)));
        plan.count(1);
        require(plan.figures().usedBytes > 0 && plan.figures().until);
    }
}

void checkRemoteConfig(Folder& folder, std::string_view content) {
    (void)folder.put("remote_config.json", content);
    const auto remote = folder.dir().remoteConfig();
    if (!remote) return;
    require(remote->document.starts_with('{') && remote->confirmedAt.time_since_epoch() >= Microseconds(0));
    // It can be used, or the file is in force and why is said.
    const auto choice = agent::chooseConfig(
        {.path = "/f", .document = {.text = "{}", .digest = remote->replacedDigest}, .config = {}}, remote);
    require(!choice.why.empty());
}

void checkOwnToken(Folder& folder, std::string_view content) {
    (void)folder.put("token", content);
    const auto token = folder.dir().ownToken();
    if (!token) return require(!token.error().message.empty());
    // It is shown at a terminal.
    require(!token->empty() && token->back() != ' ');
    require(std::ranges::none_of(*token, [](char c) { return g_ascii_iscntrl(c) != 0; }));
}

void checkSecrets(const Folder& folder, std::string_view content) {
    const auto lines = agent::readSecretLines(folder.put("secret", content));
    require(static_cast<bool>(lines));
    for (const std::string& line : *lines) {
        constexpr std::string_view kBlanks = " \t\r\n";
        require(!line.empty() && line.front() != '#' && line.find('\n') == std::string::npos);
        require(kBlanks.find(line.front()) == std::string_view::npos);
        require(kBlanks.find(line.back()) == std::string_view::npos);
        require(content.find(line) != std::string_view::npos);
        const auto hash = uplink::TokenHash::parse(line);
        require(!hash || (uplink::TokenHash::looksLikeOne(line) && hash->text().size() == line.size()));
    }
}

void checkKey(std::string_view content) {
    const auto key = uplink::readPublicKey(std::string(content));
    require(key ? *key != nullptr : !key.error().message.empty());
    require(!key || static_cast<bool>(uplink::readPublicKey(uplink::writePublicKey(**key))));
    // What is left there would be taken for trouble of somebody's connection.
    require(ERR_peek_error() == 0);
}

/// A BLOB of the journal: what it tells can be written down again, to the same bytes.
void checkStory(std::string_view content) {
    FaceEvent event;
    if (!uplink::addStory(event, viewOf(content)) || content.empty()) return;
    const ByteBuffer again = uplink::storyOf(event);
    require(std::ranges::equal(again, viewOf(content)));
}

}  // namespace

// The first line says which of the agent's small files has the rest for its content.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static Folder folder;
    std::string_view content = fuzz::textOf(data, size);
    const auto name = fuzz::nextLine(content);
    if (name == "revoked") checkRevoked(folder, content);
    if (name == "cameras") checkCameras(folder, content);
    if (name == "plans") checkPlans(folder, content);
    if (name == "remote_config") checkRemoteConfig(folder, content);
    if (name == "token") checkOwnToken(folder, content);
    if (name == "secret") checkSecrets(folder, content);
    if (name == "key") checkKey(content);
    if (name == "story") checkStory(content);
    return 0;
}
