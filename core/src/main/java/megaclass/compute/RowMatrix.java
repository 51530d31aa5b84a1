// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static megaclass.compute.NativeMemory.ALL;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Trainable rows off the heap, with what their optimizer keeps of each: the class weights W
 * (numClasses, dim), and the table of a bag of tokens (buckets, dim).
 *
 * <p>Rows lie in shards of {@link #ROWS_PER_SHARD}: the unit of checkpoints and, later, of workers.
 * A row is {@code width} numbers padded with zeros to a multiple of 16, directly followed by its
 * velocity when there is one: measured 1.1-1.5x faster than two tables. Offsets are 64-bit.
 *
 * <p>All arithmetic is on floats: {@link #read} gives a row as floats, where it lies or in scratch
 * memory, and {@link #write} takes back what was changed.
 *
 * <p>Owns its memory until {@link #close}. Threads may work on different rows at the same time.
 */
public final class RowMatrix implements AutoCloseable {
  /** Rows of a shard; the last shard of a matrix may have fewer. */
  public static final int ROWS_PER_SHARD = 65_536;

  /** What an optimizer keeps of every row besides the weights. */
  public record State(boolean velocity, boolean accumulator, boolean lastStep) {
    /** Nothing: for matrices that are only read. */
    public static final State NONE = new State(false, false, false);

    /** Bytes that a row of this width takes, weights and state together. */
    public long bytesPerRow(int width, RowFormat format) {
      return rowBytes(width, format) + (accumulator ? 4 : 0) + (lastStep ? 4 : 0);
    }

    private long rowBytes(int width, RowFormat format) {
      return format.bytes(ComputeBackend.padded(width)) * (velocity ? 2 : 1);
    }
  }

  /** Memory of one shard; accumulators and steps are empty segments when the state has none. */
  public record Shard(
      int from, int to, MemorySegment rows, MemorySegment accumulators, MemorySegment lastSteps) {}

  private final int numRows;
  private final int width;
  private final int stride;
  private final long rowBytes;
  private final RowFormat format;
  private final State state;
  private final Arena arena;
  private final @Nullable RowCache disk;
  private final List<Shard> shards = new ArrayList<>();
  private final long[] rowAddresses;
  private final long[] accumulatorAddresses;
  private final long[] lastStepAddresses;

  /**
   * Allocates a matrix of zeros in float32.
   *
   * @param numRows at least 1
   * @param width numbers a row, at least 1
   */
  public RowMatrix(int numRows, int width, State state) {
    this(numRows, width, state, RowFormat.FP32);
  }

  /** Allocates a matrix of zeros in any format. */
  public RowMatrix(int numRows, int width, State state, RowFormat format) {
    this(numRows, width, state, format, null, null, 0);
  }

  /**
   * Reads the rows where they lie.
   *
   * @param rows (numRows, width padded to 16) in {@code format}, row-major; stays alive as long as
   *     this
   */
  public static RowMatrix over(MemorySegment rows, int numRows, int width, RowFormat format) {
    return new RowMatrix(numRows, width, State.NONE, format, rows, null, 0);
  }

  /**
   * Rows in a file, the hot ones in memory: {@link #fetch} brings in what a step uses. What an
   * optimizer keeps besides velocities stays in memory. Rows hold anything before {@link
   * #randomise} or {@link #rollBack}.
   *
   * @param path of the file, made if it is not there
   * @param cacheBytes memory for rows
   * @throws java.io.UncheckedIOException when the disk has no room for it
   */
  public static RowMatrix onDisk(
      Path path, int numRows, int width, State state, RowFormat format, long cacheBytes) {
    return new RowMatrix(numRows, width, state, format, null, path, cacheBytes);
  }

  private RowMatrix(
      int numRows,
      int width,
      State state,
      RowFormat format,
      @Nullable MemorySegment existing,
      @Nullable Path path,
      long cacheBytes) {
    this.numRows = numRows;
    this.width = width;
    this.stride = ComputeBackend.padded(width);
    this.format = format;
    this.rowBytes = state.rowBytes(width, format);
    this.state = state;
    arena = Arena.ofShared();
    disk = path == null ? null : new RowCache(path, numRows, Math.toIntExact(rowBytes), cacheBytes);
    int numShards = Math.ceilDiv(numRows, ROWS_PER_SHARD);
    rowAddresses = new long[numShards];
    accumulatorAddresses = new long[numShards];
    lastStepAddresses = new long[numShards];
    for (int s = 0; s < numShards; s++) {
      int from = s * ROWS_PER_SHARD;
      int to = from + Math.min(ROWS_PER_SHARD, numRows - from);
      long count = (long) to - from;
      MemorySegment rows = rows(from, to, existing);
      MemorySegment accumulators = allocate(state.accumulator, count);
      MemorySegment lastSteps = allocate(state.lastStep, count);
      shards.add(new Shard(from, to, rows, accumulators, lastSteps));
      rowAddresses[s] = rows.address();
      accumulatorAddresses[s] = accumulators.address();
      lastStepAddresses[s] = lastSteps.address();
    }
  }

  private MemorySegment rows(int from, int to, @Nullable MemorySegment existing) {
    long bytes = (to - from) * rowBytes;
    if (disk != null) {
      return disk.rows(from, to);
    }
    return existing == null
        ? NativeMemory.allocate(bytes, arena)
        : existing.asSlice(from * rowBytes, bytes);
  }

  private MemorySegment allocate(boolean wanted, long count) {
    return wanted ? NativeMemory.allocate(4 * count, arena) : MemorySegment.NULL;
  }

  /** Number of rows. */
  public int numRows() {
    return numRows;
  }

  /** Floats of a row that carry weights. */
  public int width() {
    return width;
  }

  /** Floats of a row with its padding: {@code width} rounded up to a multiple of 16. */
  public int stride() {
    return stride;
  }

  /** How the numbers of a row lie in memory. */
  public RowFormat format() {
    return format;
  }

  /** What the optimizer keeps of each row. */
  public State state() {
    return state;
  }

  /** The shards in the order of their rows; those on disk hold them after {@link #flush}. */
  public List<Shard> shards() {
    return List.copyOf(shards);
  }

  /** Bytes of all rows and their state. */
  public long sizeInBytes() {
    return numRows * state.bytesPerRow(width, format);
  }

  /**
   * Memory that rows on disk take, with the tables of the cache.
   *
   * @param rowBytes of a row with its velocity
   * @param wanted memory for rows
   */
  public static long cacheBytes(int numRows, int rowBytes, long wanted) {
    return RowCache.sizeInBytes(numRows, rowBytes, wanted);
  }

  /** Address of the weights of a row; {@code stride} floats. Only with {@link RowFormat#FP32}. */
  public long address(int row) {
    assert format == RowFormat.FP32 : format;
    return location(row);
  }

  private long location(int row) {
    assert row >= 0 && row < numRows : "row " + row + " of " + numRows;
    return disk == null ? inMemory(row) : disk.read(row);
  }

  private long locationToChange(int row) {
    assert row >= 0 && row < numRows : "row " + row + " of " + numRows;
    return disk == null ? inMemory(row) : disk.change(row);
  }

  private long inMemory(int row) {
    return rowAddresses[row / ROWS_PER_SHARD] + row % ROWS_PER_SHARD * rowBytes;
  }

  /** Address of the velocity of a row; {@code stride} floats. As {@link #address}. */
  public long velocityAddress(int row) {
    return address(row) + 4L * stride;
  }

  /**
   * Weights of a row as floats.
   *
   * @param scratch (stride) floats, which may be written
   * @return where they are, {@code stride} floats: the row itself, or {@code scratch}
   */
  public long read(int row, long scratch, ComputeBackend backend) {
    return read(location(row), scratch, backend);
  }

  private long read(long at, long scratch, ComputeBackend backend) {
    return switch (format) {
      case FP32 -> at;
      case BF16 -> {
        backend.widen(at, stride, scratch);
        yield scratch;
      }
    };
  }

  /**
   * Weights of a row as floats, to be changed and given to {@link #write}.
   *
   * @param scratch (stride) floats, which may be written
   * @return where they are, {@code stride} floats: the row itself, or {@code scratch}
   * @throws IllegalStateException when the row lies on disk and was not fetched
   */
  public long change(int row, long scratch, ComputeBackend backend) {
    return read(locationToChange(row), scratch, backend);
  }

  /** Velocity of a row, as {@link #change}. Only with {@code state.velocity}. */
  public long changeVelocity(int row, long scratch, ComputeBackend backend) {
    return read(locationToChange(row) + format.bytes(stride), scratch, backend);
  }

  /**
   * Takes back the weights of a row that were changed where {@link #change} gave them.
   *
   * @param from what {@code change} returned
   * @param key of the random bits by which they are rounded, other for every change
   */
  public void write(int row, long from, int key, ComputeBackend backend) {
    if (format == RowFormat.BF16) {
      backend.narrow(from, stride, key, locationToChange(row));
    }
  }

  /** Takes back the velocity of a row, as {@link #write}. */
  public void writeVelocity(int row, long from, int key, ComputeBackend backend) {
    if (format == RowFormat.BF16) {
      backend.narrow(from, stride, key, locationToChange(row) + format.bytes(stride));
    }
  }

  /** Sum of squared gradients of a row. Only with {@code state.accumulator}. */
  public float accumulator(int row) {
    return ALL.get(JAVA_FLOAT_UNALIGNED, accumulatorAddress(row));
  }

  /** Sets the sum of squared gradients of a row. Only with {@code state.accumulator}. */
  public void setAccumulator(int row, float value) {
    ALL.set(JAVA_FLOAT_UNALIGNED, accumulatorAddress(row), value);
  }

  private long accumulatorAddress(int row) {
    return accumulatorAddresses[row / ROWS_PER_SHARD] + 4L * (row % ROWS_PER_SHARD);
  }

  /** Step up to which a row has been moved. Only with {@code state.lastStep}. */
  public int lastStep(int row) {
    return ALL.get(JAVA_INT_UNALIGNED, lastStepAddress(row));
  }

  /** Sets the step up to which a row has been moved. Only with {@code state.lastStep}. */
  public void setLastStep(int row, int step) {
    ALL.set(JAVA_INT_UNALIGNED, lastStepAddress(row), step);
  }

  private long lastStepAddress(int row) {
    return lastStepAddresses[row / ROWS_PER_SHARD] + 4L * (row % ROWS_PER_SHARD);
  }

  /** One weight; for tests and slow paths. */
  public float get(int row, int column) {
    return format.get(location(row), stride, column);
  }

  /** Sets one weight, rounded to the nearest; for initial values, tests and slow paths. */
  public void set(int row, int column, float value) {
    format.set(locationToChange(row), stride, column, value);
  }

  /**
   * Fills the first {@code columns} columns with normal random numbers; each row depends on (seed,
   * row) alone. In parallel, so that every thread touches its part of the memory first.
   */
  public void randomise(double deviation, int columns, long seed, Workers workers) {
    int numTasks = Math.ceilDiv(numRows, RandomRows.ROWS_PER_TASK);
    var random = new RandomRows(deviation, columns, seed);
    workers.run(
        numTasks,
        (task, _) -> {
          int from = task * RandomRows.ROWS_PER_TASK;
          int to = from + Math.min(RandomRows.ROWS_PER_TASK, numRows - from);
          if (disk == null) {
            random.fill(this, from, to, 0);
          } else {
            try (var draft = new RowMatrix(to - from, width, state, format)) {
              random.fill(draft, from, to, from);
              disk.writeMany(from, draft.shards.getFirst().rows());
            }
          }
        });
  }

  /** Whether rows lie in a file. */
  public boolean isOnDisk() {
    return disk != null;
  }

  /** Rows that one {@link #fetch} may bring at most: all, when they lie in memory. */
  public int mostFetched() {
    return disk == null ? numRows : disk.capacity();
  }

  /**
   * Brings rows that lie on disk to memory, to be changed and read fast, until others are fetched.
   * Rows that are only read need not be there. Nobody else may use the matrix meanwhile.
   *
   * @param count at most {@link #mostFetched}
   * @param rowAt from [0, count) to distinct rows
   */
  public void fetch(int count, IntUnaryOperator rowAt, Workers workers) {
    if (disk != null) {
      disk.fetch(count, rowAt, workers);
    }
  }

  /** Rows that lie on disk will be fetched soon: lets the disk read them meanwhile. */
  public void announce(int[] rows, Workers workers) {
    if (disk != null) {
      disk.announce(rows, workers);
    }
  }

  /** Brings all changed rows to the disk, if they lie there. */
  public void flush(Workers workers) {
    if (disk != null) {
      disk.flush(workers);
    }
  }

  /** Lets rows that lie on disk go back to what they are now, a checkpoint after so many steps. */
  public void checkpoint(long stepsDone) {
    if (disk != null) {
      disk.checkpoint(stepsDone);
    }
  }

  /**
   * Makes rows that lie on disk those of the checkpoint after so many steps, whatever was done to
   * them since.
   *
   * @throws megaclass.internal.InvalidFileException when the log beside the file does not allow it
   */
  public void rollBack(long stepsDone) {
    if (disk != null) {
      disk.rollBack(stepsDone);
    }
  }

  @Override
  public void close() {
    arena.close();
    if (disk != null) {
      disk.close();
    }
  }
}
