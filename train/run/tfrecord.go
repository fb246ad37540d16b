package run

import (
	"encoding/binary"
	"hash/crc32"
)

// appendTFRecord appends data in the frame of TensorFlow's record files: length,
// checksum of the length, data, checksum of the data.
func appendTFRecord(frame, data []byte) []byte {
	head := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	frame = append(frame, head...)
	frame = binary.LittleEndian.AppendUint32(frame, maskedCRC(head))
	frame = append(frame, data...)
	return binary.LittleEndian.AppendUint32(frame, maskedCRC(data))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// maskedCRC is CRC-32C, rotated and shifted so that the checksum of data that
// contains checksums is still a good one.
func maskedCRC(data []byte) uint32 {
	crc := crc32.Checksum(data, castagnoli)
	return (crc>>15 | crc<<17) + 0xa282ead8
}
