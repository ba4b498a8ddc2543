package org.sparkqlora.spark;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.hadoop.io.compress.CompressionCodecFactory;

/** Finds the files behind files, folders and globs on any Hadoop file system, sorted by path. Driver only. */
final class SourceListing {
    private final Configuration configuration;
    private final CompressionCodecFactory codecs;

    SourceListing(Configuration configuration) {
        this.configuration = configuration;
        this.codecs = new CompressionCodecFactory(configuration);
    }

    List<SourceFile> list(List<String> sources) {
        List<SourceFile> files = new ArrayList<>();
        for (String source : sources) {
            files.addAll(filesOf(source));
        }

        files.sort(Comparator.comparing(SourceFile::path));
        return files.stream().distinct().toList();
    }

    private List<SourceFile> filesOf(String source) {
        try {
            Path path = new Path(source);
            FileSystem fileSystem = path.getFileSystem(configuration);
            FileStatus[] matches = fileSystem.globStatus(path);
            List<SourceFile> files = new ArrayList<>();
            for (FileStatus match : matches == null ? new FileStatus[0] : matches) {
                collect(fileSystem, match, files);
            }

            return requireSome(source, files);
        } catch (FileNotFoundException e) {
            throw new IllegalArgumentException("Cannot read data from %s: no such file or folder".formatted(source), e);
        } catch (IOException e) {
            throw new UncheckedIOException("Failed to list " + source, e);
        }
    }

    private void collect(FileSystem fileSystem, FileStatus match, List<SourceFile> files) throws IOException {
        if (match.isFile()) {
            files.add(toSource(match));
            return;
        }

        RemoteIterator<LocatedFileStatus> inside = fileSystem.listFiles(match.getPath(), true);
        while (inside.hasNext()) {
            FileStatus file = inside.next();
            if (!isHidden(match.getPath(), file.getPath())) {
                files.add(toSource(file));
            }
        }
    }

    private SourceFile toSource(FileStatus file) {
        return new SourceFile(
                file.getPath().toString(),
                file.getLen(),
                file.getModificationTime(),
                codecs.getCodec(file.getPath()) == null);
    }

    private static boolean isHidden(Path folder, Path file) {
        for (Path at = file; at != null && !at.equals(folder); at = at.getParent()) {
            if (at.getName().startsWith(".") || at.getName().startsWith("_")) {
                return true;
            }
        }

        return false;
    }

    private static List<SourceFile> requireSome(String source, List<SourceFile> files) {
        if (files.isEmpty()) {
            throw new IllegalArgumentException(
                    "Cannot read data from %s: expected at least one file, found none".formatted(source));
        }

        return files;
    }
}
