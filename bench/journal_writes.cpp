// journal_writes FOLDER [EVENTS [TOGETHER [PAGE RESERVE CHECKPOINT]]]: how much a journal in FOLDER (on a
// real disk: tmpfs counts nothing) writes for EVENTS events, TOGETHER of them in a commit, each acknowledged
// ten commits later, as at ten a second and an answer within a second. With the last three it is the bare
// store with that tuning, else the journal as the agent has it. With PICTURE_BYTES in the environment each
// third event, enters and leaves among them, has a picture of so many bytes. Prints one line of JSON;
// write_bytes and wchar are /proc/self/io's.
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "tests/uplink/journal_bench.hpp"

using namespace edgecam;
using namespace edgecam::uplink;

namespace {

std::atomic<std::int64_t> syncs{0};

struct Written {
    std::int64_t bytes = 0;
    std::int64_t characters = 0;
    std::int64_t syncs = 0;
};

Written writtenSoFar() {
    Written written{.syncs = syncs};
    std::ifstream file("/proc/self/io");
    std::string name;
    std::int64_t value = 0;
    while (file >> name >> value) {
        if (name == "write_bytes:") written.bytes = value;
        if (name == "wchar:") written.characters = value;
    }
    return written;
}

/// Commits a group and returns the newest seq. Acknowledges `passed`.
using Commit = std::function<std::int64_t(const std::vector<FaceEvent>& group, std::int64_t passed)>;

std::size_t pictureBytes() {
    const char* word = std::getenv("PICTURE_BYTES");
    return word == nullptr ? 0 : static_cast<std::size_t>(std::max(std::atoi(word), 0));
}

void work(std::int64_t events, std::int64_t together, const Commit& commit) {
    std::deque<std::int64_t> unanswered;
    std::uint64_t number = 0;
    for (std::int64_t done = 0; done < events; done += together) {
        std::vector<FaceEvent> group;
        for (std::int64_t i = 0; i < together; ++i) {
            ++number;
            const FacePhase phase = number % 9 == 0   ? FacePhase::leave
                                    : number % 9 == 1 ? FacePhase::enter
                                                      : FacePhase::update;
            const bool pictured = pictureBytes() > 0 && (phase != FacePhase::update || number % 9 == 4);
            group.push_back(pictured ? test::picturedEvent(number, pictureBytes(), phase)
                                     : test::eventNumbered(number, phase));
        }
        std::int64_t passed = 0;
        if (unanswered.size() == 10) {
            passed = unanswered.front();
            unanswered.pop_front();
        }
        unanswered.push_back(commit(group, passed));
    }
}

/// As the agent has it, but that it need not wait for more events.
void workThroughJournal(JournalSettings settings, std::int64_t events, std::int64_t together) {
    std::mutex mutex;
    std::condition_variable news;
    std::int64_t newest = 0;
    std::string uuid;
    const SystemClock clock;
    settings.groupWithin = together == 1 ? Microseconds(0) : std::chrono::milliseconds(5);
    const auto journal =
        Journal::open(settings, clock, {.committed = [&](const std::string& id, std::int64_t seq) {
                          {
                              const std::lock_guard lock(mutex);
                              newest = seq;
                              uuid = id;
                          }
                          news.notify_one();
                      }});
    work(events, together, [&](const std::vector<FaceEvent>& group, std::int64_t passed) {
        std::unique_lock lock(mutex);
        const std::int64_t before = newest;
        if (passed > 0) journal->passed("hub", uuid, passed);
        for (const FaceEvent& event : group) journal->append(event);
        news.wait(lock, [&] { return newest > before; });
        return newest;
    });
}

void workThroughStore(const JournalSettings& settings, JournalTuning tuning, std::int64_t events,
                      std::int64_t together) {
    JournalStore store(settings, tuning);
    if (const auto opened = store.open(); !opened)
        std::fprintf(stderr, "%s\n", opened.error().message.c_str());
    work(events, together, [&](const std::vector<FaceEvent>& group, std::int64_t passed) {
        store.passed("hub", passed);
        const auto done = store.commit({.events = group, .settle = store.unsettled() >= 128});
        if (!done) std::fprintf(stderr, "%s\n", done.error().message.c_str());
        return store.newest();
    });
}

}  // namespace

/// Stands before the C library's, so that SQLite's are counted.
extern "C" int fdatasync(int file) {
    ++syncs;
    return static_cast<int>(::syscall(SYS_fdatasync, file));
}

int main(int count, char** words) {
    if (count != 2 && count != 3 && count != 4 && count != 7) {
        std::fprintf(stderr, "journal_writes FOLDER [EVENTS [TOGETHER [PAGE RESERVE CHECKPOINT]]]\n");
        return 64;
    }
    const auto number = [&](int at, int otherwise) { return at < count ? std::atoi(words[at]) : otherwise; };
    const int events = std::max(number(2, 20'000), 1);
    const int together = std::max(number(3, 1), 1);
    const JournalTuning tuning{.pageBytes = number(4, JournalTuning{}.pageBytes),
                               .reserve = number(5, JournalTuning{}.reserve),
                               .checkpointFrames = number(6, JournalTuning{}.checkpointFrames)};
    const JournalSettings settings = test::settingsIn(words[1]);
    const Written before = writtenSoFar();
    if (count == 7) {
        workThroughStore(settings, tuning, events, together);
    } else {
        workThroughJournal(settings, events, together);
    }
    const Written after = writtenSoFar();
    const auto each = [&](std::int64_t total) { return static_cast<double>(total) / events; };
    const double bytes = each(after.bytes - before.bytes);
    JsonWriter json;
    json.beginObject().field("events", events).field("together", together);
    json.field("page", tuning.pageBytes).field("reserve", tuning.reserve);
    json.field("checkpoint", tuning.checkpointFrames);
    json.field("picture_bytes", static_cast<std::uint64_t>(pictureBytes()));
    json.key("write_bytes_per_event").rounded(bytes, 1);
    json.key("wchar_per_event").rounded(each(after.characters - before.characters), 1);
    json.key("syncs_per_event").rounded(each(after.syncs - before.syncs), 4);
    json.key("mb_per_20000_events").rounded(bytes * 20'000 / 1e6, 2).endObject();
    std::printf("%s\n", json.take().c_str());
}
