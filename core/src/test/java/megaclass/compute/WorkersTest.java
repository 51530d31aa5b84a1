// SPDX-License-Identifier: Apache-2.0
package megaclass.compute;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The pool runs every task once, passes failures on, and ends. */
class WorkersTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
  void everyTaskRunsExactlyOnceAndIsDoneWhenRunReturns(int threads) {
    try (var workers = new Workers(threads)) {
      assertEquals(threads, workers.threads());
      for (int numTasks : new int[] {0, 1, 2, 7, 8, 9, 1000}) {
        int[] runs = new int[numTasks];
        workers.run(numTasks, (task, _) -> runs[task]++);
        for (int task = 0; task < numTasks; task++) {
          assertEquals(1, runs[task], "task " + task + " of " + numTasks);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 4})
  void noTaskIsLostInManyShortRuns(int threads) {
    try (var workers = new Workers(threads)) {
      int[] sums = new int[5];
      for (int run = 0; run < 3_000; run++) {
        workers.run(5, (task, _) -> sums[task] += task);
      }
      for (int task = 0; task < 5; task++) {
        assertEquals(3_000 * task, sums[task]);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 3, 8})
  void aWorkerNumberBelongsToOneThreadAtATime(int threads) {
    try (var workers = new Workers(threads)) {
      var inside = new AtomicIntegerArray(threads);
      var clashes = new AtomicInteger();
      workers.run(
          2_000,
          (_, worker) -> {
            if (inside.incrementAndGet(worker) != 1) {
              clashes.incrementAndGet();
            }
            Thread.onSpinWait();
            inside.decrementAndGet(worker);
          });
      assertEquals(0, clashes.get());
    }
  }

  @Test
  void allThreadsWorkAtTheSameTime() {
    try (var workers = new Workers(4)) {
      var meeting = new CountDownLatch(4);
      Set<Integer> numbers = ConcurrentHashMap.newKeySet();
      workers.run(
          4,
          (_, worker) -> {
            numbers.add(worker);
            meeting.countDown();
            awaitUninterruptibly(meeting);
          });
      assertEquals(Set.of(0, 1, 2, 3), numbers);
    }
  }

  private static void awaitUninterruptibly(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 8})
  void aFailureReachesTheCallerAndThePoolWorksOn(int threads) {
    try (var workers = new Workers(threads)) {
      for (Throwable failure : new Throwable[] {new ArithmeticException("7"), new Error("x")}) {
        var running = new AtomicInteger();
        Throwable thrown =
            assertThrows(
                failure.getClass(),
                () ->
                    workers.run(
                        100,
                        (task, _) -> {
                          running.incrementAndGet();
                          Thread.onSpinWait();
                          running.decrementAndGet();
                          if (task == 3) {
                            sneak(failure);
                          }
                        }));
        assertSame(failure, thrown);
        assertEquals(0, running.get(), "tasks still running after run has returned");
        var done = new AtomicInteger();
        workers.run(50, (_, _) -> done.incrementAndGet());
        assertEquals(50, done.get());
      }
    }
  }

  @Test
  void aCheckedExceptionOfATaskIsWrapped() {
    try (var workers = new Workers(2)) {
      var cause = new Exception("disk");
      var e =
          assertThrows(IllegalStateException.class, () -> workers.run(2, (_, _) -> sneak(cause)));
      assertEquals("a worker failed: java.lang.Exception: disk", e.getMessage());
      assertSame(cause, e.getCause());
    }
  }

  @SuppressWarnings("unchecked")
  private static <E extends Throwable> void sneak(Throwable failure) throws E {
    throw (E) failure;
  }

  @Test
  void closingEndsTheThreads() throws InterruptedException {
    Set<Thread> threads = ConcurrentHashMap.newKeySet();
    var workers = new Workers(4);
    var meeting = new CountDownLatch(4);
    workers.run(
        4,
        (_, _) -> {
          threads.add(Thread.currentThread());
          meeting.countDown();
          awaitUninterruptibly(meeting);
        });
    workers.close();
    threads.remove(Thread.currentThread());
    assertEquals(3, threads.size());
    for (Thread thread : threads) {
      assertTrue(thread.isDaemon(), "a forgotten pool must not keep the program alive");
      assertTrue(thread.join(Duration.ofMinutes(1)));
      assertFalse(thread.isAlive());
    }
    var e = assertThrows(IllegalStateException.class, () -> workers.run(1, (_, _) -> {}));
    assertEquals("these workers are closed", e.getMessage());
  }

  @Test
  void aPoolHasAtLeastOneThread() {
    var e = assertThrows(IllegalArgumentException.class, () -> new Workers(0));
    assertEquals("threads must be at least 1, but was 0", e.getMessage());
  }
}
