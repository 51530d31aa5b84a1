// SPDX-License-Identifier: Apache-2.0
package megaclass.index;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Function;
import megaclass.backbone.Embeddings;
import megaclass.compute.ComputeBackend;
import megaclass.compute.Engine;
import megaclass.compute.RowMatrix;
import megaclass.compute.StageClock;
import megaclass.compute.Workers;
import megaclass.internal.Hash;
import megaclass.internal.LittleEndian;
import megaclass.internal.Ranking;
import org.jspecify.annotations.Nullable;

/**
 * The hashing forest of HF-Softmax (Zhang et al. 2018), which is built anew as the weights move: an
 * embedding asks the exact scores of the classes in its leaves and proposes the best of them.
 *
 * <p>Every {@code refreshEvery} steps the weights are copied, and a thread of its own builds a
 * forest from the copy while training goes on. It serves {@code refreshEvery} steps later, neither
 * sooner nor later: training waits if it is not ready, since what is found must be a function of
 * seed and step and not of time. So a forest is between one and two periods old, but for the first,
 * which is built before training and serves two. Where the weights have hardly moved since, by less
 * than {@code refreshDrift}, no next one is begun until the following period. A step asks one
 * forest from start to end.
 *
 * <p>Owns its memory and its thread until {@link #close}.
 */
public final class ForestIndex implements ClassIndex {
  private static final int ROWS_PER_TASK = 4096;
  private static final String STATE_STEPS = "steps";
  private static final String STATE_SERVING = "serving.";
  private static final String STATE_NEXT = "next.";

  private final IndexedRows rows;
  private final Settings settings;
  private final long seed;
  private final Engine engine;

  /** Of the background: one thread, which is not started until there is something to build. */
  private final Engine background;

  private final Builder builder;
  private final Scratch[] scratch;
  private @Nullable ForestVersion serving;
  private @Nullable CompletableFuture<ForestVersion> next;

  /**
   * Settings of an index.
   *
   * @param forest how forests are built
   * @param numCandidates classes whose exact scores an embedding asks for, at least: beyond its
   *     leaves it follows the branches that it missed by the least; 0 for those of its leaves
   * @param numKept classes that an embedding proposes, at most: the best scored; at least 1
   * @param refreshEvery steps from forest to forest, at least 1
   * @param refreshDrift the {@link #drift} from which on a next forest is begun, at least 0
   */
  public record Settings(
      HashingForest.Settings forest,
      int numCandidates,
      int numKept,
      int refreshEvery,
      double refreshDrift) {}

  /** Builds a forest, as {@link HashingForest#build} does. */
  @FunctionalInterface
  interface Builder {
    HashingForest build(
        RowMatrix rows,
        boolean normalised,
        HashingForest.Settings settings,
        long seed,
        Engine engine);
  }

  /** Operands of one thread. */
  private static final class Scratch {
    @Nullable ForestSearch search;
    long[] ranked = new long[0];
    float[] scores = new float[0];

    ForestSearch searchOf(ForestVersion version) {
      var made = search == null ? version.forest().newSearch() : search;
      search = made;
      return made;
    }

    void reserve(int found) {
      if (ranked.length < found) {
        int room = found + found / 4;
        ranked = new long[room];
        scores = new float[room];
      }
    }
  }

  /**
   * An empty index; {@link #build} fills it.
   *
   * @param rows the class weights, (numClasses, dim)
   */
  public ForestIndex(IndexedRows rows, Settings settings, long seed, Engine engine) {
    this(rows, settings, seed, engine, HashingForest::build);
  }

  ForestIndex(IndexedRows rows, Settings settings, long seed, Engine engine, Builder builder) {
    this.rows = rows;
    this.settings = settings;
    this.seed = seed;
    this.engine = engine;
    this.builder = builder;
    background = new Engine(engine.backend(), new Workers(1), new StageClock());
    scratch = new Scratch[engine.workers().threads()];
    Arrays.setAll(scratch, _ -> new Scratch());
  }

  /**
   * Bytes that an index of so many classes takes, about, while it builds: two forests, the copy of
   * the weights, and what building takes.
   */
  public static long sizeInBytes(int numClasses, int width, HashingForest.Settings forest) {
    return 2 * HashingForest.expectedBytes(numClasses, width, forest)
        + numClasses * (4L * ComputeBackend.padded(width) + 68);
  }

  @Override
  public void build() {
    discardNext();
    serve(version(rows, 0, engine));
  }

  private ForestVersion version(IndexedRows from, long step, Engine with) {
    var forest =
        builder.build(
            from.matrix(), from.normalised(), settings.forest(), Hash.key(seed, step), with);
    return ForestVersion.of(forest, step, from);
  }

  private void serve(ForestVersion version) {
    if (serving != null) {
      serving.close();
    }
    serving = version;
    Arrays.stream(scratch).forEach(own -> own.search = null);
  }

  private ForestVersion built() {
    if (serving == null) {
      throw new IllegalStateException("the index is empty; build it first");
    }
    return serving;
  }

  // ---- search --------------------------------------------------------------------------------

  @Override
  public void search(Embeddings embeddings, int effort, Candidates into) {
    ForestVersion version = built();
    engine
        .workers()
        .run(
            embeddings.size(),
            (sample, worker) ->
                propose(version, embeddings, sample, effort, scratch[worker], into));
  }

  private void propose(
      ForestVersion version,
      Embeddings embeddings,
      int sample,
      int effort,
      Scratch own,
      Candidates into) {
    ForestSearch search = own.searchOf(version);
    int found = search.search(embeddings.row(sample), numCandidates(effort));
    int[] classIds = search.classIds();
    own.reserve(found);
    rows.scores(embeddings.row(sample), classIds, found, own.scores);
    for (int i = 0; i < found; i++) {
      own.ranked[i] = Ranking.key(own.scores[i], classIds[i]);
    }
    int kept = (int) Math.min(found, (long) effort * settings.numKept());
    Ranking.selectBest(own.ranked, found, kept);
    into.resize(sample, kept);
    for (int i = 0; i < kept; i++) {
      into.set(sample, i, Ranking.id(own.ranked[i]), Ranking.score(own.ranked[i]));
    }
  }

  /** More than usual is beyond the leaves. */
  private int numCandidates(int effort) {
    long usual = Math.max(settings.numCandidates(), effort > 1 ? settings.numKept() : 0);
    return (int) Math.min(usual * effort, rows.matrix().numRows());
  }

  @Override
  public float score(Embeddings embeddings, int sample, int classId) {
    return rows.score(embeddings.row(sample), classId);
  }

  // ---- refresh -------------------------------------------------------------------------------

  /** Nothing: a forest knows the weights as they were when it was built. */
  @Override
  public void moved(int classId, int worker) {}

  @Override
  public void endStep(long step) {
    long done = step + 1;
    if (done % settings.refreshEvery() != 0) {
      return;
    }
    if (next != null) {
      serve(await(next));
      next = null;
    }
    if (drift() >= settings.refreshDrift()) {
      next = buildInBackground(done);
    }
  }

  private CompletableFuture<ForestVersion> buildInBackground(long step) {
    RowMatrix copied = copyOfRows();
    return CompletableFuture.supplyAsync(
        () -> {
          try (copied) {
            var from = new IndexedRows(copied, rows.normalised(), rows.backend());
            return version(from, step, background);
          }
        },
        build -> Thread.ofPlatform().daemon().name("megaclass-forest").start(build));
  }

  private RowMatrix copyOfRows() {
    RowMatrix from = rows.matrix();
    var copy = new RowMatrix(from.numRows(), from.width(), RowMatrix.State.NONE);
    engine
        .workers()
        .run(
            Math.ceilDiv(from.numRows(), ROWS_PER_TASK),
            (task, _) -> {
              int first = task * ROWS_PER_TASK;
              int count = Math.min(ROWS_PER_TASK, from.numRows() - first);
              for (int row = first; row < first + count; row++) {
                long into = copy.address(row);
                long at = from.read(row, into, rows.backend());
                rows.backend().scaled(at, 1f, from.stride(), into);
              }
            });
    return copy;
  }

  /** Waits for a build; what went wrong in its thread is thrown in this one. */
  private static ForestVersion await(CompletableFuture<ForestVersion> build) {
    try {
      return build.join();
    } catch (CompletionException e) {
      switch (e.getCause()) {
        case RuntimeException cause -> throw cause;
        case Error cause -> throw cause;
        case null, default -> throw e;
      }
    }
  }

  /** Waits for the build that is going on, if there is one, and frees what it made. */
  private void discardNext() {
    if (next != null) {
      next.handle(
              (made, _) -> {
                if (made != null) {
                  made.close();
                }
                return true;
              })
          .join();
      next = null;
    }
  }

  @Override
  public long age(long step) {
    return step - built().step();
  }

  @Override
  public double drift() {
    return built().drift(rows);
  }

  // ---- checkpoints ---------------------------------------------------------------------------

  /** Both forests, once the next one is built, and the steps that they were built after. */
  @Override
  public Map<String, MemorySegment> state() {
    var state = new LinkedHashMap<String, MemorySegment>();
    ForestVersion now = built();
    now.sections().forEach((name, bytes) -> state.put(STATE_SERVING + name, bytes));
    var steps = Arena.ofAuto().allocate(Long.BYTES * (next == null ? 1L : 2L));
    steps.set(LittleEndian.LONG, 0, now.step());
    if (next != null) {
      ForestVersion later = await(next);
      later.sections().forEach((name, bytes) -> state.put(STATE_NEXT + name, bytes));
      steps.set(LittleEndian.LONG, Long.BYTES, later.step());
    }
    state.put(STATE_STEPS, steps);
    return state;
  }

  @Override
  public void restore(Function<String, MemorySegment> sections) {
    discardNext();
    var steps = sections.apply(STATE_STEPS);
    serve(read(sections, STATE_SERVING, steps.get(LittleEndian.LONG, 0)));
    if (steps.byteSize() > Long.BYTES) {
      long step = steps.get(LittleEndian.LONG, Long.BYTES);
      next = CompletableFuture.completedFuture(read(sections, STATE_NEXT, step));
    }
  }

  private ForestVersion read(Function<String, MemorySegment> sections, String prefix, long step) {
    return ForestVersion.read(name -> sections.apply(prefix + name), step, rows);
  }

  /** A build that is going on ends at its next level of trees. */
  @Override
  public void close() {
    background.close();
    discardNext();
    if (serving != null) {
      serving.close();
    }
  }
}
