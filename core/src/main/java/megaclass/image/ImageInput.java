// SPDX-License-Identifier: Apache-2.0
package megaclass.image;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import megaclass.data.ImageShape;
import megaclass.data.MiniBatch;
import megaclass.internal.Check;
import megaclass.internal.Hash;
import org.jspecify.annotations.Nullable;

/**
 * The images of mini-batches as the input of a network: float32 in [-1, 1], augmented for training,
 * made in the background while the batch before trains.
 *
 * <p>What comes out depends on the pixels, the seed, the step and the example alone, not on threads
 * or on what was announced. One thread calls; the memory belongs to this object.
 */
public final class ImageInput implements AutoCloseable {
  private final ImageShape shape;
  private final int capacity;
  private final Augmentation augmentation;
  private final long seed;
  private final int threads;
  private final ExecutorService pool;
  private final Arena arena = Arena.ofShared();

  /** What was taken last. */
  private MemorySegment front;

  /** What is announced. */
  private MemorySegment back;

  private @Nullable Job announced;
  private long waitedNanos;

  private ImageInput(
      ImageShape shape, int capacity, Augmentation augmentation, long seed, int threads) {
    this.shape = shape;
    this.capacity = Check.positive("capacity", capacity);
    this.augmentation = augmentation;
    this.seed = seed;
    this.threads = Check.positive("threads", threads);
    this.front = arena.allocate(imageBytes() * capacity, 64);
    this.back = arena.allocate(imageBytes() * capacity, 64);
    this.pool =
        Executors.newFixedThreadPool(
            threads, Thread.ofPlatform().daemon().name("megaclass-images-", 0).factory());
  }

  /**
   * Starts the threads that make images.
   *
   * @param shape of all images
   * @param capacity samples of the largest batch
   * @param augmentation of training batches
   * @param threads that make images, at least 1
   */
  public static ImageInput open(
      ImageShape shape, int capacity, Augmentation augmentation, long seed, int threads) {
    return new ImageInput(shape, capacity, augmentation, seed, threads);
  }

  /** Starts to make a training batch that will be taken later. One batch at a time is announced. */
  public void announce(MiniBatch later) {
    if (announced != null) {
      if (announced.makes(later, true)) {
        return;
      }
      announced.cancel();
    }
    announced = new Job(later, true, back);
    start(announced, threads);
  }

  /**
   * Gives the images of a batch: waits for it if it was announced, or makes it at once on all
   * threads.
   *
   * @param training whether images are augmented
   * @return (batch, C, H, W) float32 of this machine, in [-1, 1], valid until the next call
   */
  public MemorySegment take(MiniBatch batch, boolean training) {
    long start = System.nanoTime();
    var job = announced;
    if (job != null && job.makes(batch, training)) {
      announced = null;
      var taken = back;
      back = front;
      front = taken;
    } else {
      job = new Job(batch, training, front);
      start(job, threads - 1);
    }
    job.work();
    job.await();
    waitedNanos += System.nanoTime() - start;
    return front.asSlice(0, imageBytes() * batch.size()).asReadOnly();
  }

  /** How long {@link #take} has taken, all calls together: 0 if images are always ready. */
  public double waitedSeconds() {
    return waitedNanos * 1e-9;
  }

  /** Ends the threads and frees the memory, also that of the batch taken last. */
  @Override
  public void close() {
    if (announced != null) {
      announced.cancel();
    }
    pool.close();
    arena.close();
  }

  private long imageBytes() {
    return (long) shape.size() * Float.BYTES;
  }

  private void start(Job job, int helpers) {
    for (int i = 0; i < Math.min(helpers, job.batch.size()); i++) {
      pool.execute(job::work);
    }
  }

  /** One batch, made image after image by whoever is free. */
  private final class Job {
    private final MiniBatch batch;
    private final boolean training;
    private final MemorySegment into;
    private final AtomicInteger next = new AtomicInteger();
    private final CountDownLatch left;
    private final AtomicReference<@Nullable RuntimeException> failure = new AtomicReference<>();

    Job(MiniBatch batch, boolean training, MemorySegment into) {
      if (!batch.data().imageShape().equals(shape)) {
        throw new IllegalArgumentException(
            "%s holds images of %s, expected %s"
                .formatted(batch.data().description(), batch.data().imageShape(), shape));
      }
      Check.inRange("size of the batch", batch.size(), 1, capacity);
      this.batch = batch;
      this.training = training;
      this.into = into;
      this.left = new CountDownLatch(batch.size());
    }

    boolean makes(MiniBatch other, boolean forTraining) {
      if (training != forTraining
          || batch.data() != other.data()
          || batch.step() != other.step()
          || batch.size() != other.size()) {
        return false;
      }
      for (int i = 0; i < batch.size(); i++) {
        if (batch.example(i) != other.example(i)) {
          return false;
        }
      }
      return true;
    }

    /** Makes images until none is left to begin. */
    void work() {
      int i = next.getAndIncrement();
      if (i >= batch.size()) {
        return;
      }
      var maker = new ImageMaker(shape, augmentation);
      for (; i < batch.size(); i = next.getAndIncrement()) {
        try {
          make(maker, i);
        } catch (RuntimeException e) { // the one who takes the batch must know
          failure.compareAndSet(null, e);
        } finally {
          left.countDown();
        }
      }
    }

    private void make(ImageMaker maker, int i) {
      long example = batch.example(i);
      var pixels = batch.data().pixels();
      long offset = batch.data().pixelOffset(example);
      if (training && !augmentation.equals(Augmentation.NONE)) {
        long key = Hash.key(seed, batch.step(), example);
        maker.augmented(pixels, offset, key, into, i * imageBytes());
      } else {
        maker.plain(pixels, offset, into, i * imageBytes());
      }
    }

    /** Begins no further image, and waits for those begun. */
    void cancel() {
      int i = next.getAndAdd(batch.size());
      for (; i < batch.size(); i++) {
        left.countDown();
      }
      awaitEnd();
    }

    void await() {
      awaitEnd();
      var thrown = failure.get();
      if (thrown != null) {
        throw thrown;
      }
    }

    private void awaitEnd() {
      boolean interrupted = false;
      while (true) {
        try {
          left.await();
          break;
        } catch (InterruptedException _) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
