// journal_writer FOLDER LOG RUN: appends events to the journal in FOLDER until it is killed, and writes the
// number (trackId) of each into LOG once the journal has said that it is committed. Numbers begin at RUN *
// 1,000,000.
#include <sys/prctl.h>

#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>

#include "tests/uplink/journal_bench.hpp"

using namespace edgecam;
using namespace edgecam::uplink;

int main(int count, char** words) {
    if (count != 4) return 64;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    std::FILE* log = std::fopen(words[2], "a");
    if (log == nullptr) return 73;
    std::mutex mutex;
    std::condition_variable news;
    std::int64_t commits = 0;
    const SystemClock clock;
    JournalSettings settings = test::settingsIn(words[1]);
    settings.groupWithin = Microseconds(200);
    const auto journal = Journal::open(settings, clock, {.committed = [&](const std::string&, std::int64_t) {
                                           {
                                               const std::lock_guard lock(mutex);
                                               ++commits;
                                           }
                                           news.notify_one();
                                       }});
    std::uint64_t number = std::strtoull(words[3], nullptr, 10) * 1'000'000;
    for (std::uint64_t group = 1;; ++group) {
        std::uint64_t last = number + 1 + group % 3;
        for (std::uint64_t i = number + 1; i <= last; ++i) journal->append(test::eventNumbered(i));
        std::unique_lock lock(mutex);
        // The group may have come apart into several commits.
        news.wait(lock, [&] { return journal->status().committed >= last % 1'000'000; });
        for (std::uint64_t i = number + 1; i <= last; ++i) std::fprintf(log, "%ju\n", std::uintmax_t{i});
        std::fflush(log);
        number = last;
    }
}
