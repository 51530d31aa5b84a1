// SPDX-License-Identifier: Apache-2.0
// Inverted lists: which classes stand where. A class has a slot: a place for its code, a factor and
// its id. Slots come in blocks of 32; a list is some blocks in a row, firstBlocks[list] up to
// firstBlocks[list + 1], of which the first sizes[list] slots are taken. classIds is -1 in the rest.
//
// The order in a list follows from class ids and from what moved before, never from who was first.
// megaclass.index.InvertedLists is the definition of what a list holds, not of the order in it.
#include "common.cuh"

// Free slots are an 8th of a list.
#define ROOM 8

// into[i] = i for n ints.
extern "C" __global__ void number_places(int n, int* into) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) {
    into[i] = i;
  }
}

// Sizes of lists from runs of classes sorted by list, and the blocks that each needs.
extern "C" __global__ void size_lists(const int* starts, const int* ends, int numLists, int* sizes, int* blocks) {
  int list = blockIdx.x * blockDim.x + threadIdx.x;
  if (list < numLists) {
    int size = ends[list] - starts[list];
    sizes[list] = size;
    blocks[list] = (size + size / ROOM + 1 + 31) / 32;
  }
}

// Puts sorted members in the first slots of their lists. keys (n): lists, those of numLists are
// skipped; members (n): places in classes, or classes themselves if classes is 0.
extern "C" __global__ void place_classes(const unsigned* keys, const int* members, const int* classes, int n, int numLists, const int* starts, const int* firstBlocks, int* slotOf, int* classIds) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n || keys[i] >= (unsigned)numLists) {
    return;
  }
  int list = (int)keys[i];
  int classId = classes ? classes[members[i]] : members[i];
  int slot = 32 * firstBlocks[list] + i - starts[list];
  slotOf[classId] = slot;
  classIds[slot] = classId;
}

// Adds sorted members behind what their new lists hold, as place_classes puts them; overflow[0]
// becomes 1 where a list is full. Sizes do not change yet: grow_lists does that.
extern "C" __global__ void append_classes(const unsigned* keys, const int* members, const int* classes, int n, int numLists, const int* starts, const int* firstBlocks, const int* sizes, int* listOf, int* slotOf, int* classIds, int* overflow) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n || keys[i] >= (unsigned)numLists) {
    return;
  }
  int list = (int)keys[i];
  int classId = classes[members[i]];
  int slot = 32 * firstBlocks[list] + sizes[list] + i - starts[list];
  listOf[classId] = list;
  if (slot < 32 * firstBlocks[list + 1]) {
    slotOf[classId] = slot;
    classIds[slot] = classId;
  } else {
    overflow[0] = 1;
  }
}

// sizes += lengths of runs.
extern "C" __global__ void grow_lists(const int* starts, const int* ends, int numLists, int* sizes) {
  int list = blockIdx.x * blockDim.x + threadIdx.x;
  if (list < numLists) {
    sizes[list] += ends[list] - starts[list];
  }
}

// The classes in slots [firstSlot, firstSlot + n), numClasses for a free slot: to be sorted.
extern "C" __global__ void list_members(const int* classIds, int firstSlot, int n, int numClasses, unsigned* keys) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) {
    int classId = classIds[firstSlot + i];
    keys[i] = (unsigned)(classId < 0 ? numClasses : classId);
  }
}

// Sort keys of members that stay in their lists (stay = 1), or that leave for others: the nearest
// list of each of classes (n), or numLists.
extern "C" __global__ void split_members(const int* classes, const int* nearest, int n, const int* listOf, int stay, int numLists, unsigned* keys, int* places) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) {
    int stays = nearest[i] == listOf[classes[i]];
    keys[i] = (unsigned)(stays == stay ? nearest[i] : numLists);
    places[i] = i;
  }
}
