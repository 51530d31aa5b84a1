// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Which classes are in which list on the device, and their codes, list after list: the kernels of
 * {@code lists.cu}, whose first lines give the layout. A list has a few free slots; when one is
 * full, all are laid out anew, which on a device is cheap. Used by the thread of its device.
 */
final class DeviceLists implements AutoCloseable {
  private static final int BLOCK = 256;
  private static final int SLOTS = DeviceCodes.BLOCK;
  private static final int NONE = -1;

  private final Device device;
  private final int numClasses;
  private final int numLists;
  private final int words;
  private final DeviceSort sort;
  private final DeviceGroups groups;
  private final Kernel sizeLists;
  private final Kernel placeClasses;
  private final Kernel appendClasses;
  private final Kernel growLists;
  private final Kernel listMembers;
  private final DeviceBuffer listOf;
  private final DeviceBuffer slotOf;
  private final DeviceBuffer sizes;
  private final DeviceBuffer firstBlocks;
  private final DeviceBuffer overflow;
  private final DeviceScratch codes;
  private final DeviceScratch factors;
  private final DeviceScratch classIds;
  private final DeviceScratch members;
  private final DeviceScratch memberValues;
  private final MemorySegment pinned;
  private int[] firstBlockOf = new int[0];

  /**
   * Room for classes; {@link #layOut} puts them in lists.
   *
   * @param words of 32 bits of a code
   * @param sort stays the caller's, as groups do
   */
  DeviceLists(
      Device device,
      int numClasses,
      int numLists,
      int words,
      DeviceSort sort,
      DeviceGroups groups) {
    this.device = device;
    this.numClasses = numClasses;
    this.numLists = numLists;
    this.words = words;
    this.sort = sort;
    this.groups = groups;
    sizeLists = device.kernel("lists", "size_lists");
    placeClasses = device.kernel("lists", "place_classes");
    appendClasses = device.kernel("lists", "append_classes");
    growLists = device.kernel("lists", "grow_lists");
    listMembers = device.kernel("lists", "list_members");
    listOf = device.allocate(4L * numClasses);
    slotOf = device.allocate(4L * numClasses);
    sizes = device.allocate(4L * numLists);
    firstBlocks = device.allocate(4L * (numLists + 1));
    overflow = device.allocate(Integer.BYTES);
    codes = new DeviceScratch(device);
    factors = new DeviceScratch(device);
    classIds = new DeviceScratch(device);
    members = new DeviceScratch(device);
    memberValues = new DeviceScratch(device);
    pinned = device.allocatePinned(4L * (numLists + 1));
  }

  private static int blocks(int n) {
    return Math.ceilDiv(n, BLOCK);
  }

  private int[] read(DeviceBuffer ints, int from, int to) {
    MemorySegment into = pinned.asSlice(0, 4L * (to - from));
    device.download(ints, 4L * from, into);
    return into.toArray(ValueLayout.JAVA_INT);
  }

  /** Slots of all lists. */
  private long numSlots() {
    return (long) SLOTS * firstBlockOf[numLists];
  }

  int numLists() {
    return numLists;
  }

  int numClasses() {
    return numClasses;
  }

  /** The list of each class, (numClasses) ints: written before {@link #layOut}, else only read. */
  DeviceBuffer listOf() {
    return listOf;
  }

  /** The slot of each class, (numClasses) ints. */
  DeviceBuffer slotOf() {
    return slotOf;
  }

  /** How many classes each list holds, (numLists) ints. */
  DeviceBuffer sizes() {
    return sizes;
  }

  /** The first block of each list and one behind the last block, (numLists + 1) ints. */
  DeviceBuffer firstBlocks() {
    return firstBlocks;
  }

  /** Codes in blocks of 32, (numBlocks, words, 32) words of 32 bits. */
  DeviceBuffer codes() {
    return codes.words(words * numSlots());
  }

  /** A factor beside each code, (numBlocks, 32) floats. */
  DeviceBuffer factors() {
    return factors.words(numSlots());
  }

  /** The class beside each code, (numBlocks, 32) ints; -1 in free slots. */
  DeviceBuffer classIds() {
    return classIds.words(numSlots());
  }

  /** Puts all classes in the lists that {@link #listOf} says; their codes are to be written. */
  void layOut() {
    groups.byList(listOf, numClasses);
    sizeLists.launch(
        blocks(numLists),
        1,
        BLOCK,
        0,
        groups.starts(),
        groups.ends(),
        numLists,
        sizes.address(),
        firstBlocks.address());
    sort.sumsBefore(firstBlocks, numLists, firstBlocks, numLists);
    firstBlockOf = read(firstBlocks, 0, numLists + 1);
    device.fill(classIds(), 0, 4L * Math.toIntExact(numSlots()), NONE); // slots are ints
    place(0);
  }

  /** Puts the groups in the first slots of their lists. */
  private void place(long classes) {
    placeClasses.launch(
        blocks(groups.size()),
        1,
        BLOCK,
        0,
        groups.keys(),
        groups.members(),
        classes,
        groups.size(),
        numLists,
        groups.starts(),
        firstBlocks.address(),
        slotOf.address(),
        classIds().address());
  }

  /** Finds the classes of lists [from, to), which {@link #members} then lists; how many. */
  int findMembers(int from, int to) {
    int firstSlot = SLOTS * firstBlockOf[from];
    int slots = SLOTS * firstBlockOf[to] - firstSlot;
    DeviceBuffer keys = members.words(slots);
    listMembers.launch(
        blocks(slots),
        1,
        BLOCK,
        0,
        classIds().address(),
        firstSlot,
        slots,
        numClasses,
        keys.address());
    sort.sort(keys, memberValues.words(slots), slots, numClasses + 1);
    return Arrays.stream(read(sizes, from, to)).sum();
  }

  /** The classes that {@link #findMembers} found, ascending. */
  DeviceBuffer members() {
    return members.words(1);
  }

  /**
   * Leaves in lists [from, to) those of their members that belong to them, first in the list and
   * ascending. They stay grouped for {@link DeviceQuantizer#moveToMeans}.
   *
   * @param nearest the list to which each member belongs now
   * @param count how many members there are
   */
  void keep(int from, int to, DeviceBuffer nearest, int count) {
    long firstSlot = (long) SLOTS * firstBlockOf[from];
    long slots = (long) SLOTS * firstBlockOf[to] - firstSlot;
    groups.split(members(), nearest, count, listOf, true);
    device.fill(classIds(), 4 * firstSlot, 4 * slots, NONE);
    device.fill(sizes, 4L * from, 4L * (to - from), 0);
    growLists.launch(
        blocks(numLists), 1, BLOCK, 0, groups.starts(), groups.ends(), numLists, sizes.address());
    place(members().address());
  }

  /**
   * Puts the other members in the lists to which they belong, directly after {@link #keep}.
   *
   * @return whether all have found room; if not, {@link #layOut} makes it
   */
  boolean moveOthers(DeviceBuffer nearest, int count) {
    groups.split(members(), nearest, count, listOf, false);
    device.fill(overflow, 0, Integer.BYTES, 0);
    appendClasses.launch(
        blocks(count),
        1,
        BLOCK,
        0,
        groups.keys(),
        groups.members(),
        members().address(),
        count,
        numLists,
        groups.starts(),
        firstBlocks.address(),
        sizes.address(),
        listOf.address(),
        slotOf.address(),
        classIds().address(),
        overflow.address());
    growLists.launch(
        blocks(numLists), 1, BLOCK, 0, groups.starts(), groups.ends(), numLists, sizes.address());
    return read(overflow, 0, 1)[0] == 0;
  }

  @Override
  public void close() {
    listOf.close();
    slotOf.close();
    sizes.close();
    firstBlocks.close();
    overflow.close();
    codes.close();
    factors.close();
    classIds.close();
    members.close();
    memberValues.close();
  }
}
