// Transactions: what is written and read while the file is open. Opening is in journal_store_file.cpp.
#include "uplink/journal_store.hpp"

#include <algorithm>
#include <utility>

#include "uplink/journal_row.hpp"
#include "uplink/journal_statements.hpp"
#include "uplink/trusted_time.hpp"

namespace edgecam::uplink {
namespace {

/// Discards go down to this part below the bound, so that there is one gap for thousands of events.
constexpr std::int64_t kSlackParts = 16;
/// Gaps are merged when there are more, down to half of it.
constexpr std::int64_t kMostGaps = 32;
constexpr std::size_t kGapBytes = 200;  ///< on the wire

/// One that has no bytes here, or more than can be, or no size, is none.
bool keepsSnapshot(const FaceEvent& event) {
    constexpr int kLongestSide = 65535;  // event_story has 16 bits for each
    const auto& snapshot = event.snapshot;
    const auto sane = [](int side) { return side > 0 && side <= kLongestSide; };
    return snapshot && sane(snapshot->size.width) && sane(snapshot->size.height) && snapshot->jpeg &&
           snapshot->bytes == snapshot->jpeg->size() && snapshot->bytes > 0 &&
           snapshot->bytes <= Snapshot::kMostBytes;
}

std::optional<Gap> gapOf(const Statement& row) {
    Gap gap{row.integer(1), row.integer(2), row.integer(3), std::string(row.text(4))};
    if (gap.fromSeq > gap.toSeq || gap.reason.empty()) return std::nullopt;
    return gap;
}

}  // namespace

Result<std::int64_t> JournalStore::commit(const Work& work) {
    if (!isOpen()) return Error{"there is no database"};
    const State before = state_;
    std::int64_t discarded = 0;
    bool done = false;
    {
        Transaction transaction(file_);
        if (work.settle) settle();
        if (work.probe) reserve(0);
        for (const FaceEvent& event : work.events) store(event);
        if (work.now) discarded += discard(tooOld(*work.now), "too_old");
        dropSnapshots();
        discarded += discard(tooMany(), "full");
        if (discarded > 0) mergeGaps();
        done = transaction.commit();
    }
    if (!done) {
        state_ = before;
        return fail();
    }
    if (work.settle) {
        for (auto& [name, position] : positions_) position.written = position.passed;
    }
    return discarded;
}

/// Rows are made ahead of their events, many at a time, and filled later. AUTOINCREMENT gives their seqs, so
/// its counter is written once for all of them; and filling a row changes one page, where an insert would
/// often change four (a new leaf, its parent, the free list, the file's header).
void JournalStore::reserve(std::int64_t rowBytes) {
    // 48 of rowBytes are not content; about 20 of them are the event's numbers, which replace zeros as well.
    // A row that comes out longer than its place is no fault, it only moves its neighbours.
    const std::int64_t filler = std::max<std::int64_t>(rowBytes - 48, 60) + 20;
    std::int64_t last = 0;
    for (int i = 0; i < tuning_.reserve && !file_.failed(); ++i) {
        statements_->reserve.with(filler).run();
        last = sqlite3_last_insert_rowid(file_.handle());
        if (i == 0 && state_.next > state_.reservedTo) state_.next = last;
    }
    state_.reservedTo = last;
}

std::int64_t JournalStore::takeSeq(std::int64_t rowBytes) {
    if (state_.next > state_.reservedTo) reserve(rowBytes);
    state_.newest = state_.next;
    return state_.next++;
}

void JournalStore::store(const FaceEvent& event) {
    if (event.snapshot && !keepsSnapshot(event)) {
        FaceEvent plain = event;
        plain.snapshot.reset();
        return store(plain);
    }
    const EventRow row(event);
    const std::int64_t seq = takeSeq(row.storedBytes());
    if (row.bindTo(statements_->fill, seq).run() != 1)
        file_.note(SQLITE_CORRUPT, "a reserved row is missing");
    ++state_.events;
    state_.bytes += row.storedBytes();
    if (!event.snapshot) return;
    statements_->addSnapshot.with(seq, ByteView(*event.snapshot->jpeg)).run();
    state_.snapshotBytes += static_cast<std::int64_t>(event.snapshot->bytes);
}

std::int64_t JournalStore::passedByAll() const {
    std::int64_t all = state_.newest;
    for (const auto& [name, position] : positions_) all = std::min(all, position.passed);
    return all;
}

void JournalStore::settle() {
    for (const auto& [name, position] : positions_) {
        if (position.passed != position.written) {
            statements_->setPosition.with(std::string_view(name), position.passed).run();
        }
    }
    const std::int64_t all = passedByAll();
    if (all <= state_.settledTo) return;
    Statement& sum = statements_->sumUntil.with(all);
    std::int64_t freed = 0;
    if (sum.next()) freed = sum.integer(0);
    sum.restart();
    state_.bytes -= freed;
    state_.snapshotBytes -= statements_->snapshotBytesUntil.with(all).number();
    state_.events -= statements_->deleteEventsUntil.with(all).run();
    state_.gaps -= statements_->deleteGapsUntil.with(all).run();
    state_.settledTo = all;
}

/// Age counts only between trustworthy times: the event's own (its clock was synced, and showed a year that
/// can be) and now. Others leave when they are passed or when the bytes run out. Events lie in order of time,
/// so the first trustworthy one that is young enough ends the search.
std::vector<JournalStore::Victim> JournalStore::tooOld(Utc now) {
    std::vector<Victim> victims;
    Statement& oldest = statements_->oldest.with(std::int64_t{0});
    while (oldest.next()) {
        const Utc timestamp{Microseconds(oldest.integer(2))};
        const bool trusted = oldest.integer(3) != 0 && TrustedTime::plausible(timestamp);
        if (!trusted) continue;
        if (now - timestamp <= settings_.maxAge) break;
        victims.push_back({oldest.integer(0), oldest.integer(1)});
    }
    oldest.restart();
    return victims;
}

/// Pictures go before any event: who misses one is told, and knows still that somebody was there.
void JournalStore::dropSnapshots() {
    if (bytes() <= settings_.maxBytes || state_.snapshotBytes == 0) return;
    std::int64_t excess = bytes() - (settings_.maxBytes - settings_.maxBytes / kSlackParts);
    std::int64_t last = 0;
    Statement& oldest = statements_->oldestSnapshots.with();
    while (excess > 0 && oldest.next()) {
        last = oldest.integer(0);
        excess -= oldest.integer(1);
        state_.snapshotBytes -= oldest.integer(1);
    }
    oldest.restart();
    statements_->deleteSnapshotsUntil.with(last).run();
}

/// The oldest updates first: a face's beginning and end say more than where it was in between.
std::vector<JournalStore::Victim> JournalStore::tooMany() {
    std::vector<Victim> victims;
    if (state_.bytes <= settings_.maxBytes) return victims;
    std::int64_t excess = state_.bytes - (settings_.maxBytes - settings_.maxBytes / kSlackParts);
    const auto take = [&](Statement& candidates) {
        while (excess > 0 && candidates.next()) {
            victims.push_back({candidates.integer(0), candidates.integer(1)});
            excess -= victims.back().bytes;
        }
        candidates.restart();
    };
    take(statements_->oldestUpdates.with(state_.noUpdatesUntil));
    state_.noUpdatesUntil = excess > 0 ? state_.newest : victims.back().seq;
    if (excess > 0) take(statements_->oldestOthers.with(std::int64_t{0}));
    return victims;
}

std::int64_t JournalStore::discard(const std::vector<Victim>& victims, const char* reason) {
    if (victims.empty() || file_.failed()) return 0;
    Gap gap{victims.front().seq, victims.front().seq, static_cast<std::int64_t>(victims.size()), reason};
    for (const Victim& victim : victims) {
        if (state_.snapshotBytes > 0) {
            state_.snapshotBytes -= statements_->snapshotBytes.with(victim.seq).number();
        }
        statements_->deleteEvent.with(victim.seq).run();
        --state_.events;
        state_.bytes -= victim.bytes;
        gap.fromSeq = std::min(gap.fromSeq, victim.seq);
        gap.toSeq = std::max(gap.toSeq, victim.seq);
    }
    // In the place of the last of them: whoever reads on from before it gets to know, and nobody else.
    const std::string_view why = gap.reason;
    statements_->addGap.with(gap.toSeq, gap.fromSeq, gap.toSeq, gap.count, why).run();
    ++state_.gaps;
    return gap.count;
}

/// The older half becomes one gap a reason, in the place of the newest of them: whoever has read beyond that
/// place has read them all, and who has not gets to know of all. Who was in between hears of some twice.
void JournalStore::mergeGaps() {
    if (state_.gaps <= kMostGaps || file_.failed()) return;
    const std::int64_t until = statements_->gapAt.with(kMostGaps / 2).number();
    std::vector<std::pair<std::int64_t, Gap>> merged;
    Statement& groups = statements_->mergedGaps.with(until);
    while (groups.next()) {
        if (auto gap = gapOf(groups)) {
            merged.emplace_back(groups.integer(0), std::move(*gap));
        } else {
            file_.note(SQLITE_CORRUPT, "a gap makes no sense");
        }
    }
    state_.gaps -= statements_->deleteGapsUntil.with(until).run();
    for (const auto& [seq, gap] : merged) {
        statements_->addGap.with(seq, gap.fromSeq, gap.toSeq, gap.count, std::string_view(gap.reason)).run();
        ++state_.gaps;
    }
}

Result<JournalPage> JournalStore::read(std::int64_t after, std::size_t count, std::size_t bytes) {
    if (!isOpen()) return Error{"there is no database"};
    JournalPage page{.journal = uuid_, .after = after, .newest = state_.newest};
    Statement& events = statements_->events.with(after, state_.newest);
    Statement& gaps = statements_->gaps.with(after);
    bool moreEvents = events.next();
    bool moreGaps = gaps.next();
    std::size_t sum = 0;
    while ((moreEvents || moreGaps) && page.records.size() < count && sum < bytes) {
        const bool gapFirst = moreGaps && (!moreEvents || gaps.integer(0) < events.integer(0));
        if (gapFirst) {
            if (auto gap = gapOf(gaps)) {
                page.records.push_back({gaps.integer(0), std::move(*gap), kGapBytes});
            } else {
                file_.note(SQLITE_CORRUPT, "a gap makes no sense");
            }
            moreGaps = gaps.next();
        } else {
            if (auto event = eventOf(events, 1)) {
                std::size_t size = wireBytes(*event);
                if (event->snapshot && event->snapshot->bytes <= Snapshot::kMostInline) {
                    event->snapshot->jpeg = snapshotOf(events.integer(0));
                    size += event->snapshot->bytes / 3 * 4;
                }
                page.records.push_back({events.integer(0), std::move(*event), size});
            } else {
                file_.note(SQLITE_CORRUPT, "an event makes no sense");
            }
            moreEvents = events.next();
        }
        if (!page.records.empty()) sum += page.records.back().bytes;
    }
    events.restart();
    gaps.restart();
    if (file_.failed()) return fail();
    return page;
}

SharedBytes JournalStore::snapshotOf(std::int64_t seq) {
    Statement& row = statements_->snapshot.with(seq);
    SharedBytes jpeg;
    if (row.next()) jpeg = share(ByteBuffer(row.bytes(0).begin(), row.bytes(0).end()));
    row.restart();
    return jpeg;
}

Result<SharedBytes> JournalStore::snapshot(std::int64_t seq) {
    if (!isOpen()) return Error{"there is no database"};
    SharedBytes jpeg = snapshotOf(seq);
    if (file_.failed()) return fail();
    return jpeg;
}

void JournalStore::passed(const std::string& consumer, std::int64_t seq) {
    const auto found = positions_.find(consumer);
    if (found == positions_.end()) return;
    found->second.passed = std::max(found->second.passed, std::min(seq, state_.newest));
}

std::int64_t JournalStore::position(const std::string& consumer) const {
    const auto found = positions_.find(consumer);
    return found == positions_.end() ? 0 : found->second.passed;
}

std::int64_t JournalStore::unsettled() const {
    const std::int64_t rows = passedByAll() - state_.settledTo;
    if (rows > 0 && records() > 0) return rows;
    const bool moved = std::any_of(positions_.begin(), positions_.end(), [](const auto& entry) {
        return entry.second.passed != std::max<std::int64_t>(entry.second.written, 0);
    });
    return moved ? -1 : 0;
}

}  // namespace edgecam::uplink
