#include "uplink/durable_feed.hpp"

#include <algorithm>
#include <utility>

namespace edgecam::uplink {

void CommitTimes::moved(const std::string& journal, std::int64_t newest, Monotonic at) {
    if (journal != journal_) {
        journal_ = journal;
        knownFrom_ = newest;
        commits_.clear();
        return;
    }
    const std::int64_t last = commits_.empty() ? knownFrom_ : commits_.back().newest;
    if (newest <= last) return;
    commits_.push_back({newest, at});
    if (commits_.size() <= kRemembered) return;
    knownFrom_ = commits_.front().newest;
    commits_.pop_front();
}

std::optional<Monotonic> CommitTimes::of(std::int64_t seq) const {
    if (seq <= knownFrom_) return std::nullopt;
    const auto commit = std::ranges::lower_bound(commits_, seq, {}, &Commit::newest);
    return commit == commits_.end() ? std::nullopt : std::optional(commit->at);
}

void DurableFeed::begin(std::string journal, std::int64_t newest, bool acknowledges,
                        std::optional<std::int64_t> acked) {
    *this = DurableFeed();
    journal_ = std::move(journal);
    acknowledges_ = acknowledges;
    newest_ = newest;
    // A number beyond what this journal ever gave is of another one, whatever its name.
    if (!acknowledges || !acked || *acked > newest) return;
    cursor_ = lastSent_ = position_ = *acked;
}

bool DurableFeed::wantsToRead() const {
    return begun() && !reading_ && (!cursor_ || *cursor_ < newest_);
}

std::optional<std::int64_t> DurableFeed::read() {
    reading_ = true;
    return cursor_;
}

void DurableFeed::arrived(const JournalPage& page) {
    reading_ = false;
    newest_ = std::max(newest_, page.newest);
    if (!cursor_) cursor_ = lastSent_ = position_ = told_ = page.after;
    // Numbers that nothing stands behind any more.
    if (page.records.empty()) cursor_ = std::max(*cursor_, page.newest);
}

std::int64_t DurableFeed::sends(std::int64_t seq) {
    cursor_ = seq;
    outstanding_.push_back(seq);
    return std::exchange(lastSent_, seq);
}

Gap DurableFeed::clipped(Gap gap) const {
    gap.fromSeq = std::max(gap.fromSeq, position_ + 1);
    gap.count = std::min(gap.count, gap.toSeq - gap.fromSeq + 1);
    return gap;
}

void DurableFeed::settle(std::int64_t seq) {
    while (!outstanding_.empty() && outstanding_.front() <= seq) {
        if (!acknowledges_) settled_.push_back(outstanding_.front());
        outstanding_.pop_front();
    }
}

Result<std::vector<std::int64_t>> DurableFeed::acked(const std::string& journal, std::int64_t seq) {
    if (journal != journal_) return Error{"another journal than the one in force"};
    if (seq > lastSent_) return Error{"beyond what was sent"};
    std::vector<std::int64_t> fresh(outstanding_.begin(), std::ranges::upper_bound(outstanding_, seq));
    settle(seq);
    return fresh;
}

void DurableFeed::delivered(std::int64_t seq) {
    if (acknowledges_) return;
    settle(seq);
    moveOn();
}

void DurableFeed::releases(std::int64_t seq) {
    while (!held_.empty() && held_.front() <= seq) held_.pop_front();
    moveOn();
}

void DurableFeed::moveOn() {
    while (settled_.size() > kSentAgain && (held_.empty() || settled_.front() < held_.front())) {
        position_ = std::max(position_, settled_.front());
        settled_.pop_front();
    }
}

std::optional<std::int64_t> DurableFeed::takePosition() {
    // Whatever lies before the first unsettled record was settled, or was never for this consumer.
    if (acknowledges_ && cursor_) {
        position_ = std::max(position_, outstanding_.empty() ? *cursor_ : outstanding_.front() - 1);
    }
    if (position_ <= told_) return std::nullopt;
    told_ = position_;
    return position_;
}

}  // namespace edgecam::uplink
