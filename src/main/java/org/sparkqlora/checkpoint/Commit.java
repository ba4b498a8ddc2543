package org.sparkqlora.checkpoint;

import java.util.List;
import java.util.Map;
import org.sparkqlora.storage.StoredFile;

/**
 * The one object that makes a checkpoint exist.
 *
 * @param step steps taken
 * @param run who wrote it
 * @param attempt which claim of the folder that was
 * @param folder name of the folder that holds the files
 * @param facts what the writer noted
 * @param files the files, with length and hash
 */
record Commit(long step, String run, long attempt, String folder, Map<String, String> facts, List<StoredFile> files) {
    Commit {
        facts = Map.copyOf(facts);
        files = List.copyOf(files);
    }
}
