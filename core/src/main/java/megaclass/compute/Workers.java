// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The one thread pool of a run: a fixed number of platform threads, of which the caller is one.
 *
 * <p>Tasks of one {@link #run} are dealt out as threads become free, so which thread runs a task is
 * not repeatable; a task whose result depends on its number alone is. Only one thread may call
 * {@link #run} at a time, and a task must not call it.
 */
public final class Workers implements AutoCloseable {
  /** One part of a parallel piece of work. */
  @FunctionalInterface
  public interface Task {
    /**
     * Runs one part.
     *
     * @param task the part, in [0, numTasks)
     * @param worker the thread that runs it, in [0, threads): the key to per-thread scratch memory
     */
    void run(int task, int worker);
  }

  /** Between two stages of a step lie microseconds: spinning that long beats parking. */
  private static final int SPINS = 500;

  private final Thread[] helpers;
  private volatile @Nullable Job current;
  private volatile boolean closed;

  /**
   * Starts {@code threads - 1} helpers.
   *
   * @param threads number of threads that work in {@link #run}, the caller among them; at least 1
   */
  public Workers(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("threads must be at least 1, but was " + threads);
    }
    helpers = new Thread[threads - 1];
    for (int i = 0; i < helpers.length; i++) {
      int worker = i + 1;
      helpers[i] =
          Thread.ofPlatform().daemon().name("megaclass-" + worker).start(() -> help(worker));
    }
  }

  /** Number of threads that work in {@link #run}, the caller among them. */
  public int threads() {
    return helpers.length + 1;
  }

  /** Runs all tasks and returns when the last has ended; the first exception is rethrown. */
  public void run(int numTasks, Task task) {
    if (closed) {
      throw new IllegalStateException("these workers are closed");
    }
    if (helpers.length == 0 || numTasks <= 1) {
      for (int t = 0; t < numTasks; t++) {
        task.run(t, 0);
      }
      return;
    }
    var job = new Job(task, numTasks, Thread.currentThread());
    current = job;
    for (Thread helper : helpers) {
      LockSupport.unpark(helper);
    }
    job.work(0);
    job.awaitEnd();
    current = null;
    job.rethrow();
  }

  private void help(int worker) {
    Job last = null;
    while (!closed) {
      Job job = current;
      if (job != null && job != last) {
        last = job;
        job.work(worker);
      } else {
        awaitNext(last);
      }
    }
  }

  private void awaitNext(@Nullable Job last) {
    for (int spin = 0; spin < SPINS; spin++) {
      Job job = current;
      if (closed || (job != null && job != last)) {
        return;
      }
      Thread.onSpinWait();
    }
    LockSupport.park(this);
  }

  @Override
  public void close() {
    closed = true;
    for (Thread helper : helpers) {
      LockSupport.unpark(helper);
    }
  }

  private static final class Job {
    private final Task task;
    private final int numTasks;
    private final Thread owner;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger ended = new AtomicInteger();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    Job(Task task, int numTasks, Thread owner) {
      this.task = task;
      this.numTasks = numTasks;
      this.owner = owner;
    }

    void work(int worker) {
      for (int t = next.getAndIncrement(); t < numTasks; t = next.getAndIncrement()) {
        try {
          if (failure.get() == null) {
            task.run(t, worker);
          }
        } catch (Throwable e) { // any kind must reach the caller, or run() would never return
          failure.compareAndSet(null, e);
        } finally {
          if (ended.incrementAndGet() == numTasks) {
            LockSupport.unpark(owner);
          }
        }
      }
    }

    void awaitEnd() {
      for (int spin = 0; ended.get() < numTasks; spin++) {
        if (spin < SPINS) {
          Thread.onSpinWait();
        } else {
          LockSupport.park(this);
        }
      }
    }

    void rethrow() {
      switch (failure.get()) {
        case null -> {}
        case RuntimeException e -> throw e;
        case Error e -> throw e;
        case Throwable e -> throw new IllegalStateException("a worker failed: " + e, e);
      }
    }
  }
}
