// Runs a fuzzer's function without libFuzzer: inputs are made from the target's seeds by bit flips, splices
// and words, in an order that a number decides. What was tried last is on disk before it is tried, so a crash
// can be looked at.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr size_t kMaxInput = 64 * 1024;
constexpr size_t kMaxCorpus = 2000;

class Mutator {
 public:
  Mutator(unsigned seed, std::vector<std::string> corpus, std::vector<std::string> words)
      : random_(seed), corpus_(std::move(corpus)), words_(std::move(words)) {}

  std::string next() {
    std::string input = pick(corpus_);
    for (size_t rounds = 1 + below(6); rounds > 0; rounds--) mutate(input);
    if (input.size() > kMaxInput) input.resize(kMaxInput);
    // A mutant now and then becomes a parent, so that changes add up.
    if (below(64) == 0) keep(input);
    return input;
  }

 private:
  size_t below(size_t limit) { return limit ? random_() % limit : 0; }
  const std::string& pick(const std::vector<std::string>& from) { return from[below(from.size())]; }

  void keep(const std::string& input) {
    if (corpus_.size() < kMaxCorpus)
      corpus_.push_back(input);
    else
      corpus_[below(corpus_.size())] = input;
  }

  void mutate(std::string& input) {
    const size_t at = below(input.size() + 1);
    switch (below(9)) {
      case 0:
        if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << below(8)));
        break;
      case 1:
        if (at < input.size()) input[at] = static_cast<char>(below(256));
        break;
      case 2:
        input.erase(at, below(16));
        break;
      case 3:
        input.insert(at, 1 + below(4), static_cast<char>(below(256)));
        break;
      case 4:
      case 5:
        if (!words_.empty()) input.insert(at, pick(words_));
        break;
      case 6: {
        const std::string& other = pick(corpus_);
        input = input.substr(0, at) + other.substr(below(other.size() + 1));
        break;
      }
      case 7:
        input.insert(at, input.substr(below(input.size() + 1), below(64)));
        break;
      default:
        if (!words_.empty()) input.replace(at, below(12), pick(words_));
    }
  }

  std::mt19937 random_;
  std::vector<std::string> corpus_;
  std::vector<std::string> words_;
};

std::string read_file(const char* path) {
  std::string all;
  FILE* file = std::fopen(path, "rb");
  char buffer[4096];
  for (size_t got; file && (got = std::fread(buffer, 1, sizeof buffer, file)) > 0;) all.append(buffer, got);
  if (file) std::fclose(file);
  return all;
}

// The input under test, in a file that a crash of ours leaves behind: its size, then its bytes.
class LastInput {
 public:
  explicit LastInput(const char* path) {
    const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || ftruncate(fd, kMaxInput + sizeof(uint64_t)) != 0) std::abort();
    shared_ = static_cast<char*>(
        mmap(nullptr, kMaxInput + sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));
    close(fd);
  }
  void set(const std::string& input) {
    const uint64_t size = input.size();
    memcpy(shared_, &size, sizeof size);
    if (size) memcpy(shared_ + sizeof size, input.data(), size);
  }

 private:
  char* shared_;
};

void run(const std::string& input) {
  // A copy of its exact size, so that a read past its end is seen.
  std::vector<uint8_t> exact(input.begin(), input.end());
  exact.shrink_to_fit();
  (void)LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

int fuzz(double seconds, unsigned seed, const char* last) {
  using nsbox::fuzz::seeds, nsbox::fuzz::words;
  const std::vector<std::string> begin = seeds ? seeds() : std::vector<std::string>{""};
  Mutator mutator(seed, begin, words ? words() : std::vector<std::string>());
  LastInput current(last);
  for (const std::string& one : begin) {
    current.set(one);
    run(one);
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  unsigned long count = 0;
  for (; std::chrono::steady_clock::now() < end; count++) {
    const std::string input = mutator.next();
    current.set(input);
    run(input);
  }
  std::printf("%lu inputs\n", count);
  return 0;
}

}  // namespace

// driver SECONDS SEED LAST-INPUT-FILE, or driver INPUT-FILE: one input, as it was saved.
int main(int argc, char** argv) {
  if (argc == 2) {
    run(read_file(argv[1]));
    return 0;
  }
  if (argc != 4) return 2;
  return fuzz(std::atof(argv[1]), static_cast<unsigned>(std::atol(argv[2])), argv[3]);
}
