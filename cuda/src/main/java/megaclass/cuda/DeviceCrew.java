// SPDX-License-Identifier: Apache-2.0
package megaclass.cuda;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A thread for each of several devices, on which all calls to that device are made: so one that
 * waits for its device holds up none of the others. Used by one thread, which waits for them.
 */
final class DeviceCrew implements AutoCloseable {
  private final List<ExecutorService> threads;
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
  private volatile Runnable release = () -> {};

  /** Starts the threads. */
  DeviceCrew(int count) {
    threads =
        IntStream.range(0, count)
            .mapToObj(i -> Executors.newSingleThreadExecutor(work -> thread(i, work)))
            .toList();
  }

  private static Thread thread(int number, Runnable work) {
    return Thread.ofPlatform().daemon().name("device-" + number).unstarted(work);
  }

  /** Says how threads that wait for others are let go when one fails. */
  void whenOneFails(Runnable release) {
    this.release = release;
  }

  /**
   * Does something on all threads, and waits for all of them.
   *
   * @param task given the number of a device
   * @return what each of them made, in their order
   * @throws RuntimeException the first one of those that were thrown: others may follow from it
   */
  <T> List<T> onEach(IntFunction<T> task) {
    failure.set(null);
    var results =
        IntStream.range(0, threads.size())
            .mapToObj(i -> CompletableFuture.supplyAsync(() -> attempt(i, task), threads.get(i)))
            .toList();
    CompletableFuture.allOf(results.toArray(CompletableFuture[]::new))
        .exceptionally(_ -> null) // it is in failure
        .join();
    switch (failure.get()) {
      case RuntimeException e -> throw e;
      case Error e -> throw e;
      case null, default -> {}
    }
    return results.stream().map(CompletableFuture::join).toList();
  }

  private <T> T attempt(int number, IntFunction<T> task) {
    try {
      return task.apply(number);
    } catch (RuntimeException | Error e) {
      failure.compareAndSet(null, e);
      release.run();
      throw e;
    }
  }

  /** Does something on the thread of the first device. */
  <T> T onFirst(Supplier<T> task) {
    return CompletableFuture.supplyAsync(task, threads.getFirst()).join();
  }

  /** Ends the threads when they have done what they were given. */
  @Override
  public void close() {
    threads.forEach(ExecutorService::shutdown);
  }
}
