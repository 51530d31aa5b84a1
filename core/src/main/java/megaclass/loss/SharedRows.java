// SPDX-License-Identifier: Apache-2.0
package megaclass.loss;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import megaclass.compute.ComputeBackend;
import megaclass.compute.NativeMemory;
import megaclass.compute.RowUpdate;
import megaclass.select.ActiveClasses;

/**
 * Adds up the gradients of classes that are active in several groups, in the order of the groups;
 * the last one passes the sum on, so that each row is updated once, when no group needs it any
 * more. Gradients of all other classes pass through.
 */
final class SharedRows implements AutoCloseable {
  private final ComputeBackend backend;
  private final int stride;
  private Arena arena = Arena.ofShared();
  private MemorySegment sums = MemorySegment.NULL;

  /** By position: the row in {@link #sums} of a class that is shared. */
  private int[] slots = new int[0];

  /** By position: groups that have not added their gradient yet. */
  private int[] missing = new int[0];

  SharedRows(int width, ComputeBackend backend) {
    this.stride = ComputeBackend.padded(width);
    this.backend = backend;
  }

  /** Bytes for so many shared classes. */
  static long sizeInBytes(long rows, int width) {
    return 4L * rows * ComputeBackend.padded(width);
  }

  /**
   * Starts a batch.
   *
   * @param active the classes of all groups
   * @param update receives each class once
   * @return where the groups, one after the other, send the gradients of their classes
   */
  RowUpdate begin(ActiveClasses active, RowUpdate update) {
    int numShared = assignSlots(active);
    long bytes = sizeInBytes(numShared, stride);
    if (sums.byteSize() < bytes) {
      arena.close();
      arena = Arena.ofShared();
      sums = NativeMemory.allocate(bytes + bytes / 8, arena);
    }
    return (row, gradient, worker) -> {
      int position = active.positionOf(row);
      missing[position]--;
      long sum = sums.address() + 4L * stride * slots[position];
      boolean first = missing[position] == active.groupsWith(position) - 1;
      if (missing[position] > 0) {
        if (first) {
          backend.scaled(gradient, 1f, stride, sum);
        } else {
          backend.addScaled(gradient, 1f, stride, sum);
        }
        return;
      }
      if (!first) {
        backend.addScaled(sum, 1f, stride, gradient);
      }
      update.update(row, gradient, worker);
    };
  }

  private int assignSlots(ActiveClasses active) {
    if (slots.length < active.numActive()) {
      slots = new int[active.numActive()];
      missing = new int[active.numActive()];
    }
    int numShared = 0;
    for (int position = 0; position < active.numActive(); position++) {
      missing[position] = active.groupsWith(position);
      slots[position] = numShared;
      if (missing[position] > 1) {
        numShared++;
      }
    }
    return numShared;
  }

  @Override
  public void close() {
    arena.close();
  }
}
