// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import megaclass.TestBackend;
import megaclass.backbone.Embeddings;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import megaclass.internal.Hash;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Which forest serves at which step, however long it takes to build, and what happens if not. */
@Timeout(60)
class ForestRefreshTest {
  private static final int NUM_CLASSES = 400;
  private static final int DIM = 20;
  private static final int BATCH = 30;
  private static final int EVERY = 4;
  private static final long SEED = 5;
  private static final HashingForest.Settings SETTINGS = new HashingForest.Settings(3, 6);
  private static final float[][] WEIGHTS = Rows.inFamilies(NUM_CLASSES, DIM, 1);
  private static final float[][] FEATURES =
      IntStream.range(0, BATCH).mapToObj(i -> WEIGHTS[i * 13].clone()).toArray(float[][]::new);

  /** An index over weights that move in every step. */
  private static final class Run implements AutoCloseable {
    final Engine engine;
    final RowMatrix matrix = Rows.matrix(WEIGHTS);
    final Embeddings embeddings;
    final ForestIndex index;

    Run(int threads, ForestIndex.Builder builder) {
      this(threads, builder, 0);
    }

    Run(int threads, ForestIndex.Builder builder, double refreshDrift) {
      engine = Engine.start(TestBackend.NAME, threads);
      embeddings = Rows.pack(FEATURES, true, engine);
      var settings = new ForestIndex.Settings(SETTINGS, 0, NUM_CLASSES, EVERY, refreshDrift);
      var rows = new IndexedRows(matrix, true, engine.backend());
      index = new ForestIndex(rows, settings, SEED, engine, builder);
    }

    List<List<Integer>> search() {
      var found = new Candidates(BATCH);
      index.search(embeddings, 1, found);
      return IntStream.range(0, BATCH)
          .mapToObj(
              sample ->
                  IntStream.range(0, found.size(sample))
                      .mapToObj(i -> found.classId(sample, i))
                      .toList())
          .toList();
    }

    /** A step: what is found, and then the weights move. */
    List<List<Integer>> step(long step) {
      var found = search();
      move(matrix, step);
      index.endStep(step);
      return found;
    }

    @Override
    public void close() {
      index.close();
      embeddings.close();
      matrix.close();
      engine.close();
    }
  }

  private static void move(RowMatrix matrix, long step) {
    var random = new SplittableRandom(step);
    for (int c = 0; c < NUM_CLASSES; c++) {
      Rows.set(matrix, c, WEIGHTS[random.nextInt(NUM_CLASSES)]);
    }
  }

  private static boolean inBackground() {
    return Thread.currentThread().getName().equals("megaclass-forest");
  }

  /** Builds what {@link HashingForest#build} does, in the background after {@code wait} alone. */
  private static ForestIndex.Builder after(Runnable wait) {
    return (rows, normalised, settings, seed, engine) -> {
      if (inBackground()) {
        wait.run();
      }
      return HashingForest.build(rows, normalised, settings, seed, engine);
    };
  }

  private static void sleep(long millis) {
    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
  }

  @Test
  void whatIsFoundDoesNotDependOnHowLongABuildTakes() {
    var random = new SplittableRandom(3);
    try (var quick = new Run(1, HashingForest::build);
        var slow = new Run(3, after(() -> sleep(random.nextInt(40))))) {
      quick.index.build();
      slow.index.build();
      for (long step = 0; step < 8 * EVERY; step++) {
        assertEquals(quick.index.age(step), slow.index.age(step), "age at step " + step);
        assertEquals(quick.step(step), slow.step(step), "step " + step);
        sleep(5); // the quick one is ready long before it serves
      }
    }
  }

  @Test
  void aForestServesOnePeriodAfterItsWeightsWereTaken() {
    try (var run = new Run(2, HashingForest::build)) {
      run.index.build();
      long[] ages = LongStream.range(0, 14).map(step -> age(run, step)).toArray();
      assertArrayEquals(new long[] {0, 1, 2, 3, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5}, ages);
    }
    try (var run = new Run(2, HashingForest::build)) {
      run.index.build();
      LongStream.range(0, 2 * EVERY).forEach(run::step);
      move(run.matrix, EVERY - 1); // as they were when EVERY steps were done
      try (var expected =
          HashingForest.build(run.matrix, true, SETTINGS, Hash.key(SEED, EVERY), run.engine)) {
        var asked = expected.newSearch();
        var found = run.search();
        for (int sample = 0; sample < BATCH; sample++) {
          asked.search(run.embeddings.row(sample), 0);
          int[] ids = asked.classIds();
          assertEquals(
              IntStream.of(ids).boxed().sorted().toList(),
              found.get(sample).stream().sorted().toList());
        }
      }
    }
  }

  @Test
  void noForestIsBegunForWeightsThatHardlyMove() {
    try (var run = new Run(2, HashingForest::build, 0.1)) {
      run.index.build();
      for (long step = 0; step < 3 * EVERY; step++) {
        run.index.endStep(step);
      }
      assertEquals(3 * EVERY, run.index.age(3 * EVERY));
      run.step(3 * EVERY); // the weights move
      for (long step = 3 * EVERY + 1; step < 5 * EVERY; step++) {
        run.index.endStep(step);
      }
      assertEquals(EVERY, run.index.age(5 * EVERY));
    }
  }

  private static long age(Run run, long step) {
    long age = run.index.age(step);
    run.step(step);
    return age;
  }

  @Test
  void trainingGoesOnWhileAForestIsBuilt() {
    var free = new CountDownLatch(1);
    var waited = new ArrayList<Boolean>();
    try (var run = new Run(2, after(() -> waited.add(await(free))))) {
      run.index.build();
      LongStream.range(0, 2 * EVERY - 1).forEach(run::step);
      assertEquals(2 * EVERY - 1, run.index.age(2 * EVERY - 1));
      var before = run.search();
      free.countDown();
      run.step(2 * EVERY - 1);
      assertEquals(EVERY, run.index.age(2 * EVERY));
      assertNotEquals(before, run.search());
    }
    assertTrue(waited.getFirst(), "the build waited for the steps, and not they for it");
  }

  private static boolean await(CountDownLatch latch) {
    try {
      return latch.await(30, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void anErrorOfTheBuilderIsThrownWhereItsForestWouldServe() {
    for (Throwable failure :
        new Throwable[] {new InternalError("no memory left"), new ArithmeticException("NaN")}) {
      Runnable fail =
          () -> {
            switch (failure) {
              case Error e -> throw e;
              default -> throw (RuntimeException) failure;
            }
          };
      try (var run = new Run(2, after(fail))) {
        run.index.build();
        LongStream.range(0, 2 * EVERY - 1).forEach(run::step);
        assertSame(failure, assertThrows(failure.getClass(), run.index::state));
        assertSame(failure, assertThrows(failure.getClass(), () -> run.step(2 * EVERY - 1)));
      }
    }
  }

  @Test
  void weightsThatAreNotFiniteAreNamed() {
    try (var run = new Run(2, HashingForest::build)) {
      for (int c = 0; c < NUM_CLASSES; c++) {
        run.matrix.set(c, 3, Float.NaN);
      }
      var e = assertThrows(ArithmeticException.class, run.index::build);
      assertEquals(
          "the weight of class 0 is not finite, which no index can hold; lower the learning rate"
              + " and resume from the last checkpoint",
          e.getMessage());
    }
  }

  /** A forest is built by many runs of its workers, each of which fails once they are closed. */
  @Test
  void closingEndsABuild() {
    var building = new CountDownLatch(1);
    var ended = new CountDownLatch(1);
    BooleanSupplier closed = () -> ended.getCount() == 0;
    ForestIndex.Builder endless =
        (rows, normalised, settings, seed, engine) -> {
          try {
            while (inBackground()) {
              engine.workers().run(1, (_, _) -> building.countDown());
            }
          } finally {
            if (inBackground()) {
              ended.countDown();
            }
          }
          return HashingForest.build(rows, normalised, settings, seed, engine);
        };
    try (var run = new Run(2, endless)) {
      run.index.build();
      LongStream.range(0, EVERY).forEach(run::step);
      assertTrue(await(building));
      assertFalse(closed.getAsBoolean());
    }
    assertTrue(closed.getAsBoolean(), "the thread has ended when close returns");
  }

  @Test
  void aRestoredIndexGoesOnAsTheOneThatWasSaved() {
    for (int saveAfter : new int[] {0, 1, EVERY, EVERY + 1, 3 * EVERY - 1}) {
      try (var saved = new Run(2, after(() -> sleep(5)));
          var restored = new Run(3, HashingForest::build)) {
        saved.index.build();
        restored.index.build();
        LongStream.range(0, saveAfter).forEach(saved::step);
        LongStream.range(0, EVERY).forEach(restored::step); // builds what it must forget
        var state = copy(saved.index.state());
        move(restored.matrix, saveAfter - 1);
        if (saveAfter == 0) {
          IntStream.range(0, NUM_CLASSES).forEach(c -> Rows.set(restored.matrix, c, WEIGHTS[c]));
        }
        restored.index.restore(name -> Objects.requireNonNull(state.get(name)));
        for (long step = saveAfter; step < saveAfter + 3 * EVERY; step++) {
          assertEquals(saved.index.age(step), restored.index.age(step), "age at step " + step);
          assertEquals(saved.index.drift(), restored.index.drift(), "drift at step " + step);
          assertEquals(saved.step(step), restored.step(step), "step " + step);
        }
      }
    }
  }

  private static Map<String, MemorySegment> copy(Map<String, MemorySegment> state) {
    var copy = new HashMap<String, MemorySegment>();
    state.forEach(
        (name, bytes) ->
            copy.put(name, MemorySegment.ofArray(bytes.toArray(ValueLayout.JAVA_BYTE))));
    return copy;
  }

  @Test
  void aForestOfOtherClassesIsRefused() {
    try (var saved = new Run(1, HashingForest::build)) {
      saved.index.build();
      var state = saved.index.state();
      try (var fewer = Rows.matrix(Rows.inFamilies(60, DIM, 1))) {
        var rows = new IndexedRows(fewer, true, saved.engine.backend());
        var settings = new ForestIndex.Settings(SETTINGS, 0, 10, EVERY, 0);
        try (var index = new ForestIndex(rows, settings, SEED, saved.engine)) {
          var e =
              assertThrows(
                  IllegalArgumentException.class,
                  () -> index.restore(name -> Objects.requireNonNull(state.get(name))));
          assertEquals(
              "the saved forest holds 400 classes of stride 32, but there are 60 of stride 32;"
                  + " resume with the model that it was saved with",
              e.getMessage());
        }
      }
    }
  }
}
