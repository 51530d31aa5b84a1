// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

/**
 * Some classes grouped by list, in the order in which they were given within each list. What is
 * grouped last is kept. Used by the thread of its device.
 */
final class DeviceGroups implements AutoCloseable {
  private static final int BLOCK = 256;

  private final Device device;
  private final int numLists;
  private final DeviceSort sort;
  private final Kernel numberPlaces;
  private final Kernel splitMembers;
  private final DeviceScratch keys;
  private final DeviceScratch members;
  private final DeviceBuffer starts;
  private final DeviceBuffer ends;
  private int size;

  /** Sort stays the caller's. */
  DeviceGroups(Device device, int numLists, DeviceSort sort) {
    this.device = device;
    this.numLists = numLists;
    this.sort = sort;
    numberPlaces = device.kernel("lists", "number_places");
    splitMembers = device.kernel("lists", "split_members");
    keys = new DeviceScratch(device);
    members = new DeviceScratch(device);
    starts = device.allocate(4L * numLists);
    ends = device.allocate(4L * numLists);
  }

  private static int blocks(int n) {
    return Math.ceilDiv(n, BLOCK);
  }

  /** Groups places 0 to n - 1 by the list of each, (n) ints. */
  void byList(DeviceBuffer listOf, int n) {
    device.copy(listOf, 0, keys.words(n), 0, 4L * n);
    numberPlaces.launch(blocks(n), 1, BLOCK, 0, n, members.words(n).address());
    group(n);
  }

  /**
   * Groups the places of classes by the list that they go to.
   *
   * @param classes (n) ints
   * @param nearest the list to which each of them belongs now, (n) ints
   * @param listOf the list that each class stands in, (numClasses) ints
   * @param staying whether those that stay in their lists are wanted, or those that leave
   */
  void split(
      DeviceBuffer classes, DeviceBuffer nearest, int n, DeviceBuffer listOf, boolean staying) {
    splitMembers.launch(
        blocks(n),
        1,
        BLOCK,
        0,
        classes.address(),
        nearest.address(),
        n,
        listOf.address(),
        staying ? 1 : 0,
        numLists,
        keys.words(n).address(),
        members.words(n).address());
    group(n);
  }

  private void group(int n) {
    size = n;
    sort.sort(keys.words(n), members.words(n), n, numLists + 1);
    device.fill(starts, 0, starts.bytes(), 0);
    device.fill(ends, 0, ends.bytes(), 0);
    sort.findRuns(keys.words(n), n, numLists, starts, ends);
  }

  /** How many were given. */
  int size() {
    return size;
  }

  /** Lists of the members, ascending, numLists for those not wanted: (size) ints. */
  long keys() {
    return keys.words(size).address();
  }

  /** Places of the members in what was given, (size) ints. */
  long members() {
    return members.words(size).address();
  }

  /** Where the members of each list begin, (numLists) ints. */
  long starts() {
    return starts.address();
  }

  /** One behind the last member of each list, (numLists) ints. */
  long ends() {
    return ends.address();
  }

  @Override
  public void close() {
    keys.close();
    members.close();
    starts.close();
    ends.close();
  }
}
