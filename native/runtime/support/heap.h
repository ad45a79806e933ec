#pragma once

#include <cstddef>

// The executable's memory: given out upward and taken back in blocks of work. Nothing is freed one by one; the held
// init frees what serving one request took by going back to a mark.
namespace nsbox::runtime {

class HeapMark {
 public:
  HeapMark();
  ~HeapMark();
  HeapMark(const HeapMark&) = delete;
  HeapMark& operator=(const HeapMark&) = delete;

 private:
  char* next_;
};

}  // namespace nsbox::runtime
