#include <sysexits.h>

#include <algorithm>
#include <cstdio>

#include "agent/commands.hpp"
#include "agent/config.hpp"
#include "agent/places.hpp"
#include "agent/status_socket.hpp"
#include "base/foreign_words.hpp"
#include "base/json.hpp"
#include "base/log.hpp"

namespace edgecam::agent {
namespace {

/// What is told holds words of cameras and hubs, and a terminal obeys some characters.
std::string textOf(const JsonValue& object, const char* name) {
    const auto member = object.FindMember(name);
    if (member == object.MemberEnd() || !member->value.IsString()) return {};
    return harmless({member->value.GetString(), member->value.GetStringLength()});
}

double numberOf(const JsonValue& object, const char* name) {
    const auto member = object.FindMember(name);
    return member != object.MemberEnd() && member->value.IsNumber() ? member->value.GetDouble() : 0;
}

const JsonValue* memberOf(const JsonValue& object, const char* name) {
    const auto member = object.FindMember(name);
    return member != object.MemberEnd() && member->value.IsObject() ? &member->value : nullptr;
}

template <class Print>
void printList(const char* title, const JsonValue& object, const char* list, Print print) {
    const auto member = object.FindMember(list);
    const bool any = member != object.MemberEnd() && member->value.IsArray() && !member->value.Empty();
    std::printf(any ? "%s\n" : "%-12s none\n", title);
    if (!any) return;
    for (const JsonValue& item : member->value.GetArray()) {
        if (item.IsObject()) print(item);
    }
}

/// "3 d 4 h", "4 h 12 min", "12 min", "40 s".
std::string lasting(double seconds) {
    const auto whole = static_cast<long>(seconds);
    const long days = whole / 86400;
    const long hours = whole / 3600 % 24;
    const long minutes = whole / 60 % 60;
    if (days > 0) return concat(days, " d ", hours, " h");
    if (hours > 0) return concat(hours, " h ", minutes, " min");
    return minutes > 0 ? concat(minutes, " min") : concat(whole, " s");
}

void note(const std::string& words) {
    if (!words.empty()) std::printf("             %s\n", words.c_str());
}

void printCamera(const JsonValue& camera) {
    std::string line = textOf(camera, "state");
    if (numberOf(camera, "width") > 0)
        line += concat("  ", numberOf(camera, "width"), "x", numberOf(camera, "height"));
    if (numberOf(camera, "framerate") > 0) line += concat("  ", numberOf(camera, "framerate"), " fps");
    const JsonValue* analysis = memberOf(camera, "analysis");
    if (analysis != nullptr)
        line += concat("  faces ", numberOf(*analysis, "rate_hz"), "/s by ", textOf(camera, "detector"));
    if (numberOf(camera, "restarts") > 0)
        line += concat("  opened again ", numberOf(camera, "restarts"), " times");
    std::printf("  %-10s %s\n", textOf(camera, "camera_id").c_str(), line.c_str());
    note(textOf(camera, "reason"));
    note(textOf(camera, "warning"));
    if (analysis != nullptr) note(textOf(*analysis, "reason"));
}

void printUplink(const JsonValue& uplink) {
    std::printf("  %-10s %s  %s  %s\n", textOf(uplink, "name").c_str(), textOf(uplink, "state").c_str(),
                textOf(uplink, "purpose").c_str(), textOf(uplink, "url").c_str());
    note(textOf(uplink, "reason"));
    const JsonValue* plan = memberOf(uplink, "plan");
    if (plan != nullptr) {
        note(concat("plan ", textOf(*plan, "state"), ": ", numberOf(*plan, "used_mb"), " of ",
                    numberOf(*plan, "monthly_mb"), " MB"));
    }
}

void printForPeople(const JsonValue& report) {
    const JsonValue* status = memberOf(report, "status");
    const JsonValue* process = memberOf(report, "process");
    const JsonValue* agent = status != nullptr ? memberOf(*status, "agent") : nullptr;
    if (agent == nullptr || process == nullptr) return;
    std::printf("%s  %s  edgecam %s, up for %s\n", textOf(*agent, "id").c_str(),
                textOf(*status, "status").c_str(), textOf(*agent, "version").c_str(),
                lasting(numberOf(*agent, "uptime_s")).c_str());
    const std::string page = textOf(report, "page");
    if (!page.empty()) std::printf("page         %s\n", page.c_str());
    printList("cameras", *status, "cameras", printCamera);
    printList("uplinks", *status, "uplinks", printUplink);
    if (const JsonValue* journal = memberOf(*status, "journal")) {
        std::printf("journal      %.0f events, %.1f MB; given up %.0f, not stored %.0f\n",
                    numberOf(*journal, "records"), numberOf(*journal, "bytes") / 1e6,
                    numberOf(*journal, "discarded"), numberOf(*journal, "unstored"));
        note(textOf(*journal, "reason"));
    }
    std::printf("process %-5.0f %.1f MB, %.0f threads, %.0f descriptors, %.0f %% of a core since its start\n",
                numberOf(report, "pid"), numberOf(*process, "resident_bytes") / 1e6,
                numberOf(*process, "threads"), numberOf(*process, "descriptors"),
                100 * numberOf(*process, "cpu_s") / std::max(numberOf(*agent, "uptime_s"), 1.0));
}

}  // namespace

int statusCommand(const StatusOptions& options) {
    const auto config = loadConfig(options.config);
    if (!config) {
        std::fprintf(stderr, "%s: %s\n", shownConfigPath(options.config).c_str(),
                     config.error().message.c_str());
        return EX_CONFIG;
    }
    const auto report = askForStatus(StatusSocket::pathIn(config->dataDir));
    if (!report) {
        std::fprintf(stderr, "edgecam: %s\n", report.error().message.c_str());
        return EX_UNAVAILABLE;
    }
    const auto parsed = parseJson(*report);
    if (!parsed || !parsed->IsObject()) {
        std::fprintf(stderr, "edgecam: the agent's answer cannot be understood\n");
        return EX_DATAERR;
    }
    if (options.json) {
        std::printf("%s\n", report->c_str());
    } else {
        printForPeople(*parsed);
    }
    return EX_OK;
}

}  // namespace edgecam::agent
