package org.sparkqlora.spark;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.sparkqlora.storage.WholeFile;
import org.sparkqlora.tokenizer.TokenRow;
import org.sparkqlora.tokenizer.TokenRowCodec;

/** Writes files of rows that appear whole or not at all, however many attempts of a task write them. */
final class RowFileWriter {
    private final Path folder;
    private final FileSystem fileSystem;

    RowFileWriter(String folder, Configuration configuration) throws IOException {
        this.folder = new Path(folder);
        this.fileSystem = this.folder.getFileSystem(configuration);
    }

    PreparedFile write(String name, List<TokenRow> rows) throws IOException {
        Path target = new Path(folder, name);
        Path mine = WholeFile.unfinished(target);
        String sha256 = writeRows(mine, rows);
        if (!WholeFile.giveName(fileSystem, mine, target)) {
            requireWhole(target, rows);
        }

        return new PreparedFile(name, rows.size(), sha256);
    }

    private String writeRows(Path file, List<TokenRow> rows) throws IOException {
        MessageDigest digest = sha256();
        ByteBuffer row = ByteBuffer.allocate(TokenRowCodec.byteSize(rows.get(0).width()));
        try (FSDataOutputStream out = fileSystem.create(file, false)) {
            for (TokenRow each : rows) {
                TokenRowCodec.write(each, row.clear());
                digest.update(row.array());
                out.write(row.array());
            }
        }

        return HexFormat.of().formatHex(digest.digest());
    }

    /** Another attempt came first: its bytes are the same. */
    private void requireWhole(Path target, List<TokenRow> rows) throws IOException {
        long expected = (long) rows.size() * TokenRowCodec.byteSize(rows.get(0).width());
        long found = fileSystem.getFileStatus(target).getLen();
        if (found != expected) {
            throw new IOException("Failed to write %s: expected %d bytes, found %d".formatted(target, expected, found));
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Cannot find SHA-256 in this Java", e);
        }
    }
}
