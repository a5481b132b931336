// Runs a fuzz target over its corpus, and over a few thousand mutations of it, without a fuzzer: replay
// FOLDER. The same inputs every time. A crash is the failure; the last line counts what was run.
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <set>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes mutated(Bytes bytes, std::mt19937& random) {
    const auto anywhere = [&] { return bytes.empty() ? 0 : random() % bytes.size(); };
    for (unsigned step = 1 + random() % 4; step > 0 && !bytes.empty(); --step) {
        const auto at = static_cast<std::ptrdiff_t>(anywhere());
        switch (random() % 4) {
            case 0:
                bytes[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(random());
                break;
            case 1:
                bytes.erase(bytes.begin() + at);
                break;
            case 2:
                bytes.insert(bytes.begin() + at, static_cast<std::uint8_t>(random()));
                break;
            case 3:
                bytes.resize(static_cast<std::size_t>(at));
                break;
        }
    }
    return bytes;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 64;
    std::set<std::filesystem::path> files;  // in the order of their names
    for (const auto& entry : std::filesystem::directory_iterator(argv[1])) files.insert(entry.path());
    std::mt19937 random(1);
    std::size_t runs = 0;
    for (const auto& path : files) {
        std::ifstream file(path, std::ios::binary);
        const Bytes bytes{std::istreambuf_iterator<char>(file), {}};
        LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
        for (int i = 0; i < 1000; ++i, ++runs) {
            const Bytes other = mutated(bytes, random);
            LLVMFuzzerTestOneInput(other.data(), other.size());
        }
    }
    std::printf("%zu inputs of %zu files\nchecks: %zu passed, 0 failed\n", runs, files.size(), files.size());
    return files.empty() ? 1 : 0;
}
