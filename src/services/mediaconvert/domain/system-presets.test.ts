import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { asAccountId, asRegion } from '#kernel/ids.ts';
import { SYSTEM_PRESETS, SYSTEM_TEMPLATES, systemPreset, systemTemplate } from './system-presets.ts';

const scope = { account: asAccountId('123456789012'), region: asRegion('us-east-1') };

const settingsOf = (name: string) => systemPreset(scope, name)?.Settings;
const h264Of = (name: string) => settingsOf(name)?.VideoDescription?.CodecSettings?.H264Settings;

describe('AWS’s own presets', () => {
  it('are made from what their names say', () => {
    const hls = 'System-Ott_Hls_Ts_Avc_Aac_16x9_1280x720p_30Hz_5.0Mbps';
    const { ContainerSettings, VideoDescription, AudioDescriptions } = settingsOf(hls) ?? {};
    assert.equal(ContainerSettings?.Container, 'M3U8');
    assert.deepEqual([VideoDescription?.Width, VideoDescription?.Height], [1280, 720]);
    assert.equal(AudioDescriptions?.[0]?.CodecSettings?.AacSettings?.Bitrate, 96_000);
    const { RateControlMode, Bitrate, FramerateNumerator = 0, FramerateDenominator = 1 } = h264Of(hls) ?? {};
    assert.deepEqual([RateControlMode, Bitrate, FramerateNumerator / FramerateDenominator], ['CBR', 5_000_000, 30]);

    const qvbr = h264Of('System-Ott_Cmaf_Cmfc_Avc_16x9_Sdr_960x540p_30Hz_2.5Mbps_Qvbr_Vq7');
    assert.deepEqual([qvbr?.RateControlMode, qvbr?.MaxBitrate, qvbr?.Bitrate], ['QVBR', 2_500_000, undefined]);
    assert.equal(qvbr?.QvbrSettings?.QvbrQualityLevel, 7);

    const sound = settingsOf('System-Ott_Dash_Mp4_Aac_He_96Kbps');
    assert.equal(sound?.VideoDescription, undefined);
    const aac = sound?.AudioDescriptions?.[0]?.CodecSettings?.AacSettings;
    assert.deepEqual([aac?.Bitrate, aac?.CodecProfile], [96_000, 'HEV1']);

    const hevc = settingsOf('System-Generic_Uhd_Mp4_Hevc_Aac_16x9_3840x2160p_24Hz_8Mbps');
    assert.equal(hevc?.VideoDescription?.CodecSettings?.H265Settings?.Bitrate, 8_000_000);

    const unpaced = h264Of('System-Ott_Hls_Ts_Avc_Aac_16x9_960x540p_3.5Mbps');
    assert.deepEqual([unpaced?.Bitrate, unpaced?.FramerateControl], [3_500_000, 'INITIALIZE_FROM_SOURCE']);

    const av1 = settingsOf('System-Ott-Dash-Mpd_Av1_1280x720p_24Hz_1Mbps_Qvbr_Vq6');
    const { Av1Settings } = av1?.VideoDescription?.CodecSettings ?? {};
    assert.deepEqual([av1?.ContainerSettings?.Container, Av1Settings?.MaxBitrate], ['MPD', 1_000_000]);
    assert.equal(Av1Settings?.QvbrSettings?.QvbrQualityLevel, 6);

    const tracks = ['96', '64'].map((amount) => settingsOf(`System-Ott_Cmaf_Cmfc_Aac_He_${amount}Kbps`));
    assert.deepEqual(
      tracks.map((track) => track?.ContainerSettings?.CmfcSettings?.AudioTrackType),
      ['ALTERNATE_AUDIO_AUTO_SELECT_DEFAULT', 'ALTERNATE_AUDIO_AUTO_SELECT'],
    );

    const old = 'System-Avc_16x9_720p_29_97fps_5000kbps';
    assert.equal(settingsOf(old)?.VideoDescription?.Width, 1280);
    assert.deepEqual([h264Of(old)?.FramerateNumerator, h264Of(old)?.FramerateDenominator], [30_000, 1001]);
  });

  it('are none where the name says something else', () => {
    for (const name of [
      'System-Ott_Hls_Ts_Avc_Aac_16x9_1280x720p_30Hz',
      'System-Ott_Hls_Ts_Vp9_Opus_16x9_1280x720p_30Hz_5.0Mbps',
      'System-Broadcast_Mxf_Xdcam_Pcm_16x9_1920x1080i_50Hz_35Mbps',
      'Ott_Hls_Ts_Avc_Aac_16x9_1280x720p_30Hz_5.0Mbps',
      'System-',
    ]) {
      assert.equal(systemPreset(scope, name), undefined, name);
    }
  });

  it('are all there that are listed, and that the templates name', () => {
    for (const name of SYSTEM_PRESETS) assert.equal(systemPreset(scope, name)?.Name, name);
    for (const name of SYSTEM_TEMPLATES) {
      const outputs = systemTemplate(scope, name)?.Settings?.OutputGroups?.[0]?.Outputs ?? [];
      assert.ok(outputs.length > 5);
      for (const { Preset } of outputs) assert.ok(SYSTEM_PRESETS.includes(Preset ?? ''), name);
    }
  });
});
