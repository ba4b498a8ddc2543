package org.sparkqlora.spark.replica;

import java.io.Serializable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.sparkqlora.checkpoint.CheckpointDraft;
import org.sparkqlora.storage.StoredFile;
import org.sparkqlora.train.SavedState.StateParts;

/**
 * The files that this process writes of States, beside its tasks and beyond their end: writing one must keep no slot from a step. Tasks of
 * later steps tell the driver what is done.
 */
public final class StateFiles {
    private static final Logger LOG = LoggerFactory.getLogger(StateFiles.class);

    private final Map<Long, List<Writing>> begun = new HashMap<>();

    /** A file, or nothing where the writer has no part of the State, that some thread writes. */
    private record Writing(int writer, Future<Optional<StoredFile>> file) {}

    /** Notes what is written for {@code request}; what was written for others is of no use any more. */
    synchronized void note(long request, int writer, Future<Optional<StoredFile>> file) {
        begun.keySet().retainAll(List.of(request));
        begun.computeIfAbsent(request, any -> new ArrayList<>()).add(new Writing(writer, file));
    }

    /** What is written for {@code request} by now. */
    List<StateFile> done(long request) {
        return noted(request).stream()
                .filter(writing -> writing.file().isDone())
                .map(StateFiles::result)
                .toList();
    }

    /** Waits for all that was begun for {@code request}. */
    List<StateFile> finished(long request) {
        return noted(request).stream().map(StateFiles::result).toList();
    }

    private synchronized List<Writing> noted(long request) {
        return List.copyOf(begun.getOrDefault(request, List.of()));
    }

    /** A file that cannot be written ends no training: the driver writes the State instead. */
    private static StateFile result(Writing writing) {
        try {
            return new StateFile(writing.writer(), writing.file().get().orElse(null), "");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("Cannot wait for a file of the State: the task was cancelled");
        } catch (ExecutionException e) {
            return new StateFile(writing.writer(), null, String.valueOf(e.getCause()));
        }
    }

    /** Driver only: what {@code job} tells, or that it is lost. */
    static List<StateFile> toldBy(Supplier<List<StateFile>> job) {
        try {
            return job.get();
        } catch (Exception e) { // Spark throws a lost job as one that no signature declares
            if (e instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }

            return List.of(new StateFile(0, null, e.toString()));
        }
    }

    /** Driver only. */
    static void warnOfUnwritten(long version, List<StateFile> told) {
        LOG.warn(
                "Executors could not write all of the checkpoint of version {}, which the driver writes instead: {}",
                version,
                told.stream()
                        .map(StateFile::problem)
                        .filter(problem -> !problem.isEmpty())
                        .toList());
    }

    /** The State in files, in the order of its bytes, if every one of {@code writers} has told of its own. */
    static Optional<StateParts> parts(CheckpointDraft draft, List<StateFile> told, int writers) {
        Map<Integer, StateFile> byWriter = new TreeMap<>();
        told.stream().filter(StateFile::isDone).forEach(file -> byWriter.put(file.writer(), file));
        return byWriter.size() < writers
                ? Optional.empty()
                : Optional.of(new StateParts(
                        draft,
                        byWriter.values().stream()
                                .map(StateFile::file)
                                .filter(Objects::nonNull)
                                .toList()));
    }

    /**
     * The outcome of writing a file.
     *
     * @param writer whose part of the State it is
     * @param file null if there is none
     * @param problem why it could not be written; empty if it was, or if the writer has no part
     */
    public record StateFile(int writer, @Nullable StoredFile file, String problem) implements Serializable {
        boolean isDone() {
            return problem.isEmpty();
        }
    }
}
